from leadline.services.commands import Close, Conversation, Open, Send, StartTls
from leadline.services.start_tls import StartTlsConversation
from leadline.services.waiting import Waits
from tests.support.playbook import dialogue


def test_commands_are_values() -> None:
    assert Open(1) == Open(1, tls=False)
    assert len({Open(1), Open(1, True), Send(1, b"x"), StartTls(1), Close(1)}) == 5


def test_both_kinds_of_conversation_have_its_shape() -> None:
    conversations: list[Conversation] = [dialogue(80), StartTlsConversation("smtp", "", Waits(), 0.0)]
    for conversation in conversations:
        conversation.start(0.0)
        assert conversation.commands() == [Open(0)]
        assert conversation.commands() == []
        assert not conversation.done
