"""Lost and changed passwords, second factors and API keys."""

from typing import Any

from falcon import Request

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.http.limits import Attempt
from vantage6.api.identity import passwords, two_factor
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.logins import Logins
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.recovery import (
    NodeKeyReply,
    NodeKeyReset,
    PasswordChange,
    PasswordLost,
    PasswordReset,
    RecoveryCodesReply,
    RecoveryCodesRequest,
    TwoFactorLost,
    TwoFactorReply,
    TwoFactorReset,
)
from vantage6.api.service import Service
from vantage6.common.enums import Operation
from vantage6.common.errors import Invalid
from vantage6.common.logs import get
from vantage6.common.secret_files import hash_secret
from vantage6.models.store import nodes, recovery, second_factors, users
from vantage6.models.store.recovery import Change, Mail, Purpose
from vantage6.models.tables import User

log = get(__name__)

#: The same for an account that does not exist.
_SENT: Message = {
    "msg": "If there is such an account, a mail with a token is on its way to its address."
}


class Recovery(Resource):
    """Ways back into an account."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._logins = Logins(service)

    @endpoint(body=PasswordLost, problems=(429,), reply=Message)
    def on_post_lost(self, req: Request, read: Read[PasswordLost]) -> Message:
        """Ask for a mail with a token that sets a new password.

        The answer does not tell whether there is such an account.
        """
        body = read()
        self._logins.limit_recovery(req)
        user = users.find_by_name_or_email(body.username, body.email)
        # Each unknown name counts by itself, or the many would show which ones are known.
        who = f"{user.id}" if user else hash_secret(f"{body.username}\n{body.email}")
        self._mail(Mail.PASSWORD_RESET, user, who)
        return _SENT

    @endpoint(body=PasswordReset, problems=(401, 429), reply=Message)
    def on_post_reset(self, req: Request, read: Read[PasswordReset]) -> Message:
        """Set a new password with the token from the mail; all sessions of the user end."""
        body = read()
        self._logins.limit_recovery(req)
        token, password = body.reset_token.get_secret_value(), body.password.get_secret_value()
        # Hashing takes time, so a token that is no good is refused before.
        recovery.holder(token, Purpose.PASSWORD)
        passwords.check_policy(password)
        user = recovery.reset_password(token, passwords.hash_password(password, req.env))
        log.info("password reset", user_id=user.id)
        self._logins.tell(user, Change.PASSWORD_RESET, req)
        return {"msg": "The password was set; log in with it."}

    @endpoint(body=TwoFactorLost, problems=(401, 429), reply=Message)
    def on_post_two_factor_lost(self, req: Request, read: Read[TwoFactorLost]) -> Message:
        """Ask for a mail with a token that sets up another authenticator app."""
        body = read()
        self._logins.limit_recovery(req)
        found = users.find_by_name_or_email(body.username, body.email)
        name = f"{body.username}\n{body.email}"
        user = self._logins.check_password(found, body.password.get_secret_value(), req, name)
        self._mail(Mail.TWO_FACTOR_RESET, user, f"{user.id}")
        return _SENT

    @endpoint(body=TwoFactorReset, problems=(401, 429), reply=TwoFactorReply)
    def on_post_two_factor_reset(self, req: Request, read: Read[TwoFactorReset]) -> Any:
        """Set up another authenticator app with the token from the mail and a recovery code.

        All sessions of the user end. Clients of 3.11, which send the token only, send the
        code after it, with a space between them.
        """
        body = read()
        self._logins.limit_recovery(req)
        secret = two_factor.new_secret()
        token, *more = body.reset_token.get_secret_value().strip().split(" ", 1)
        given = body.recovery_code
        code = given.get_secret_value() if given else "".join(more)
        user = second_factors.reset(token, code, secret)
        log.info("second factor reset", user_id=user.id)
        self._logins.tell(user, Change.FACTOR_RESET, req)
        return self._logins.describe_enrolment(user, secret)

    @endpoint(USER, body=RecoveryCodesRequest, problems=(429,), reply=RecoveryCodesReply)
    def on_post_codes(self, req: Request, caller: Caller, read: Read[RecoveryCodesRequest]) -> Any:
        """Make new recovery codes; the old ones are void, and the answer is the only copy."""
        body = read()
        user = users.get(caller.id)
        if not second_factors.is_confirmed(user):
            raise Invalid("You have set up no authenticator app.", code="no_second_factor")
        self._logins.check_code(user, body.mfa_code, req)
        codes = second_factors.new_codes(user)
        log.info("recovery codes replaced", user_id=user.id)
        self._logins.tell(user, Change.CODES_REPLACED, req)
        return {"recovery_codes": codes, "msg": "Keep these codes; each works once."}

    @endpoint(
        USER,
        body=NodeKeyReset,
        weighs_first=True,
        problems=(404,),
        reply=NodeKeyReply,
        permission=Rights(("node", Operation.EDIT)),
    )
    def on_post_node(self, caller: Caller, read: Read[NodeKeyReset]) -> Any:
        """Give a node a new API key; the old one opens nothing any more, nor do its tokens."""
        node = nodes.get(read().id)
        caller.require("node", Operation.EDIT, organization=node.organization_id)
        key = nodes.replace_key(node)
        # SECURITY: who logged in with the old key was given a password of the queue too.
        self.service.forget_node(node)
        log.info("key of a node replaced", node_id=node.id, user_id=caller.id)
        return {"api_key": key}

    @endpoint(USER, body=PasswordChange, problems=(429,), reply=Message)
    def on_patch_password(
        self, req: Request, caller: Caller, read: Read[PasswordChange]
    ) -> Message:
        """Change the caller's own password; this session goes on, and all others end."""
        body = read()
        new = body.new_password.get_secret_value()
        current = body.current_password.get_secret_value()
        user = self._logins.check_password(users.get(caller.id), current, req)
        if new == current:
            raise Invalid("The new password is the old one.", code="same_password")
        passwords.check_policy(new)
        recovery.change_password(user, passwords.hash_password(new, req.env), caller.session_id)
        log.info("password changed", user_id=user.id)
        self._logins.tell(user, Change.PASSWORD_CHANGED, req)
        return {"msg": "The password was changed."}

    def _mail(self, mail: Mail, user: User | None, who: str) -> None:
        """Have a mail sent to a user; for an unknown user spend the same time without one."""
        if self.service.limits.allows(Attempt.MAIL, f"{mail}:{who}"):
            recovery.request_mail(mail, user)
        elif user is not None:
            log.warning("too many mails", mail=mail, user_id=user.id)
