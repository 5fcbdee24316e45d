"""What tests share: network namespaces, a name server, comparison of scan results."""
