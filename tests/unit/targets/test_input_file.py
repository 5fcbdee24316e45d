from leadline.targets.input_file import expressions


def test_expressions_stand_between_blanks() -> None:
    lines = ["10.0.0.1 10.0.0.2\t10.0.0.3\n", "# nothing\n", "\n", "host.example # a comment 10.9.9.9\r\n", "::1#x"]
    assert list(expressions(lines)) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "host.example", "::1"]


def test_expressions_come_as_the_lines_do() -> None:
    def endless() -> object:
        while True:
            yield "10.0.0.1 10.0.0.2\n"

    stream = expressions(endless())  # type: ignore[arg-type]
    assert [next(stream) for _ in range(3)] == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]
