"""Proving who one is with a password and a code, and what follows from failures."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from falcon import Request

from vantage6.api.http.limits import Attempt, client_address, network_of
from vantage6.api.http.local_requests import is_from_this_machine
from vantage6.api.identity import passwords, two_factor
from vantage6.api.identity.guesses import Guess
from vantage6.api.service import Service
from vantage6.common.clock import now
from vantage6.common.errors import Invalid, Unauthenticated
from vantage6.common.secret_files import hash_secret
from vantage6.models.store import recovery, second_factors, sessions, users
from vantage6.models.store.recovery import Change
from vantage6.models.store.setup import FIRST_PASSWORD, ROOT
from vantage6.models.tables import User

#: For so long a login proves who holds its session.
_JUST_NOW = timedelta(minutes=10)


class Logins:
    """Checks what users prove themselves with."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def address(self, req: Request) -> str:
        """Return the address that a request comes from."""
        return client_address(req, self._service.config.trusted_proxies)

    def limit_recovery(self, req: Request) -> None:
        """Count a request to recover an account.

        Raises
        ------
        TooMany
            If there were too many from this address.
        """
        self._service.limits.count(Attempt.RECOVERY, network_of(self.address(req)))

    def check_failures(self, req: Request) -> None:
        """Raise `TooMany` if too many logins from this address failed; good ones do not count."""
        self._service.limits.check(Attempt.USER_LOGIN, network_of(self.address(req)))

    def count_node_failure(self, req: Request) -> None:
        """Count a failed login of a node; raise `TooMany` if there were too many."""
        self._service.limits.count(Attempt.NODE_LOGIN, network_of(self.address(req)))

    def check_password(
        self, user: User | None, password: str, req: Request, name: str = ""
    ) -> User:
        """Return the user if the password is his.

        SECURITY: unknown name and wrong password answer the same, after the same work, and as
        many guesses at each are possible. A right password does not forget wrong codes.

        Parameters
        ----------
        user
            The account whose password it may be; None if no account has the name.
        password
            What was sent.
        req
            The request.
        name
            The name that was sent, where no account has it.

        Raises
        ------
        Unauthenticated
            If they do not belong together.
        TooMany
            If too many did not.
        """
        kept = user.password if user else None
        guess = self._guess(Attempt.PASSWORD, user, kept or name, req)
        check = partial(passwords.matches, kept, password, req.env)
        if not self._is_right(guess, req, check) or user is None:
            self._count_failure(user, req)
            raise Unauthenticated("Wrong username or password.", code="wrong_password")
        if passwords.is_outdated(user.password) and not users.rehash(
            user, passwords.hash_password(password, req.env)
        ):
            # Somebody else who logs in did, or the password was replaced.
            return self.check_password(users.find(user.id), password, req, name)
        return user

    def require_password(
        self, user: User, session_id: int | None, password: str, req: Request, way: str
    ) -> bool:
        """Check the password of a user who did not log in just now.

        Parameters
        ----------
        user, session_id, req
            The user, and the session and the request in which that happens.
        password
            The password, or an empty text.
        way
            What the user can do without either, for the refusal.

        Returns
        -------
        bool
            Whether there was a password, and not a new login only.

        Raises
        ------
        Invalid
            If there is none.
        Unauthenticated, TooMany
            As `check_password`.
        """
        if password:
            self.check_password(user, password, req)
            return True
        if session_id is None or now() - sessions.get(session_id).began_at > _JUST_NOW:
            raise Invalid(
                f"{way}: this change of your account needs a login of the last "
                f"{_JUST_NOW.seconds // 60} minutes.",
                code="password_needed",
            )
        return False

    def record_success(self, user: User, req: Request) -> None:
        """Note that a user has proved everything."""
        users.login_succeeded(user)
        self._service.guesses.remember(user.id, network_of(self.address(req)))

    def refuse_first_password(self, password: str, req: Request) -> None:
        """Refuse a login from elsewhere with the well-known first password.

        Raises
        ------
        Unauthenticated
            If it is that password, and the request was not made on this machine.
        """
        config = self._service.config
        # SECURITY: without it, who finds a new server first owns it.
        if password != FIRST_PASSWORD or config.type == "test":
            return
        if not is_from_this_machine(req, config.trusted_proxies):
            raise Unauthenticated(
                "This account still has the password of the first start, which works on the "
                "server's own machine only, for the user of the server. Change it there first: "
                "`vserver user reset-password "
                f"{ROOT}`, or client.util.change_my_password at http://localhost:{config.port}.",
                code="first_password",
            )

    def second_factor(
        self, user: User, code: str | int | None, req: Request
    ) -> dict[str, Any] | None:
        """Check the code of a user whose password was right.

        Returns
        -------
        dict or None
            What the user has to do first; None if the code is right, or none is needed.

        Raises
        ------
        Unauthenticated
            If the code is wrong, or was used already.
        """
        if not self._service.config.two_factor_auth:
            return None
        written = two_factor.normalize(code)
        # A secret is confirmed by the first right code; until then it is shown again.
        if user.otp_secret is None or (user.otp_last_step is None and not written):
            secret = second_factors.propose(user, two_factor.new_secret())
            return self.describe_enrolment(user, secret)
        if not written:
            return {"msg": "Two-factor authentication is on; send the code of your app too."}
        if second_factors.is_confirmed(user) and two_factor.is_recovery_code(written):
            self._check_code(user, lambda: second_factors.use_code(user, written), req)
            self.tell(user, Change.CODE_USED, req)
        else:
            self.check_code(user, written, req)
        return None

    def check_code(self, user: User, code: str | int | None, req: Request) -> None:
        """Use a code of the app of a user.

        Raises
        ------
        Unauthenticated
            If the code is wrong, or was used already.
        TooMany
            If too many were.
        """
        secret = second_factors.secret_of(user) or ""

        def is_right() -> bool:
            step = two_factor.step_of(secret, two_factor.normalize(code))
            return step is not None and second_factors.use_step(user, step)

        self._check_code(user, is_right, req)

    def _check_code(self, user: User, is_right: Callable[[], bool], req: Request) -> None:
        guess = self._guess(Attempt.CODE, user, user.otp_secret or "", req)
        if not self._is_right(guess, req, is_right):
            self._count_failure(user, req)
            raise Unauthenticated("The code is wrong, or it was used already.", code="wrong_code")

    def _guess(self, kind: Attempt, user: User | None, secret: str, req: Request) -> Guess:
        user_id = user.id if user else None
        network = network_of(self.address(req))
        return Guess(kind, hash_secret(f"{user_id}\n{secret}"), user_id, network)

    def _is_right(self, guess: Guess, req: Request, check: Callable[[], bool]) -> bool:
        return self._service.guesses.is_right(guess, req.env, check)

    def complete_enrolment(self, user: User, req: Request) -> dict[str, Any]:
        """Return the recovery codes of a user whose first code was right, for this once."""
        is_first = user.otp_secret is not None and user.otp_last_step is None
        if not (is_first and self._service.config.two_factor_auth):
            return {}
        codes = second_factors.new_codes(user)
        self.tell(user, Change.FACTOR_SET_UP, req)
        return {"recovery_codes": codes}

    def tell(self, user: User, change: Change, req: Request, receiver: str | None = None) -> None:
        """Have a user told by mail of a change, since an intruder may have made it.

        The mail goes to the receiver, or else to the address of the user.
        """
        if self._service.limits.allows(Attempt.MAIL, f"{change}:{user.id}"):
            recovery.tell(user, change, self.address(req), receiver)

    def describe_enrolment(self, user: User, secret: str) -> dict[str, Any]:
        """Return what an authenticator app needs to know."""
        return {
            "qr_uri": two_factor.address(secret, user.username, self._service.instance.name),
            "otp_secret": secret,
            "msg": "Add this account to your authenticator app, then log in with its code.",
        }

    def _count_failure(self, user: User | None, req: Request) -> None:
        """Count a failure of the account, if there is one, which is told of many in a row."""
        address = self.address(req)
        policy = self._service.config.password_policy
        recovery.login_failed(
            user, policy.max_failed_attempts, policy.inactivation_minutes, address
        )
