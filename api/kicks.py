"""How the workers hear of a message of the outbox as soon as it is committed."""

from vantage6.broker.queues import MAIL
from vantage6.broker.sender import ControlSender
from vantage6.models.database import Kick
from vantage6.models.store.outbox import Topic

#: Celery tasks, by name: the API knows no code of the workers.
_FAN_OUT, _SEND_MAIL = "fan_out", "send_mail"


def workers_at(broker_url: str, *, is_quiet: bool = False) -> Kick:
    """Return what kicks the workers of a broker; a lost kick costs the time until the relay.

    The log tells of a broker that does not answer, unless it ``is_quiet``.
    """
    sender = ControlSender(broker_url, is_quiet=is_quiet)

    def kick(topic: str, message_id: int) -> None:
        if topic == Topic.MAIL:
            sender.kick(_SEND_MAIL, message_id, 0, queue=MAIL)
        else:
            sender.call(_FAN_OUT)

    return kick
