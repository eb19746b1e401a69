"""A person's own pages: sign in and out, a new password, new terms of use, their sessions."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select, update

from kit import logs
from kit.pages.form_pages import retry_later
from kit.pages.languages import N_
from registration import audit
from registration.accounts import sessions, sign_in
from registration.accounts.choosing import Later, choose, refuse_many
from registration.accounts.passwords import BUSY, RETRY_AFTER, Busy
from registration.accounts.sessions import signed_in_only
from registration.database.models import Account, Session
from registration.mail import outbox
from registration.pages.forms import NO_MATCH, NO_PASSWORD, ConfirmForm, NewPasswordForm, SignInForm, TermsForm
from registration.service import Service

IDENTIFY_ANEW = "/start?purpose=new-password"
OLD_PAGE = N_("The page was open for too long. Sign in once more.")


def create_blueprint(service: Service) -> Blueprint:
    """`/sign-in`, `/sign-out`, `/new-password`, `/terms/accept`, `/sessions` and what stands below it."""
    blueprint = Blueprint("account", __name__)
    pages = service.pages

    @blueprint.get("/sign-in")
    def show_sign_in() -> ResponseReturnValue:
        return sign_in_page(SignInForm())

    def sign_in_page(form: SignInForm, status: int = 200, error: str = "", minutes: int | None = None) -> Response:
        return pages.show(
            "sign_in.html", status, form_id="sign-in", form=form, error=error, minutes=minutes, to_broker=True
        )

    @blueprint.post("/sign-in")
    def take_sign_in() -> ResponseReturnValue:
        form = SignInForm()
        if not form.validate():  # its token is of another page, or two first pages were opened at once
            return sign_in_page(form, 400, OLD_PAGE)
        if pages.only_asks_for_language():
            return sign_in_page(form)
        try:
            found = sign_in.check(service, form.user_name.data, form.password.data or "", request.remote_addr)
        except Busy:
            logs.add(code="busy", step="sign_in")
            return retry_later(sign_in_page(form, 503, BUSY), RETRY_AFTER)
        if isinstance(found, sign_in.TooMany):
            minutes = -(-found.seconds // 60)
            logs.add(code="too_many_tries", step="sign_in")
            return retry_later(sign_in_page(form, 429, minutes=minutes), found.seconds)
        if isinstance(found, sign_in.Refused):
            return sign_in_page(form, 422, NO_MATCH)
        page = sessions.wanted()
        with service.database.write() as transaction:
            sessions.begin(transaction, service, account_id=found.id)
        return redirect(page, 303)

    @blueprint.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        sessions.end(service)
        return redirect("/sign-in", 303)

    @blueprint.get("/new-password")
    def show_new_password() -> ResponseReturnValue:
        account = freshly_identified()
        if account is None:
            return redirect(IDENTIFY_ANEW, 303)
        form = NewPasswordForm()
        return pages.show("new_password.html", form=form, user_name=account.user_name, problems=[])

    @blueprint.post("/new-password")
    def take_new_password() -> ResponseReturnValue:
        account = freshly_identified()
        if account is None:
            return pages.problem("identify_first", again=IDENTIFY_ANEW)
        form = NewPasswordForm()
        try:
            with service.database.write() as transaction:
                refuse_many(transaction, service, account.sub, {})
            choice = choose(service, account.sub, form.password.data, account.user_name)
        except Later as later:
            return retry_later(new_password_page(account, form, later.message, later.status), later.seconds)
        if choice.problem or choice.hashed is None:
            return new_password_page(account, form, choice.problem or NO_PASSWORD, 422)
        _change_password(service, account, choice.hashed)
        return redirect("/rights", 303)

    def new_password_page(account: Account, form: NewPasswordForm, problem: str, status: int) -> Response:
        form.password.errors = [problem]
        problems = form.problems()
        return pages.show("new_password.html", status, form=form, user_name=account.user_name, problems=problems)

    def freshly_identified() -> Account | None:
        """The account of whoever has identified a short while ago in this session."""
        session = sessions.current(service)
        if session is None or session.person is None or not sessions.is_fresh(session, service.now):
            return None
        with service.database.read() as transaction:
            return transaction.scalar(select(Account).where(Account.sub == session.person.sub))

    @blueprint.get("/terms/accept")
    def show_new_terms() -> ResponseReturnValue:
        account = sessions.signed_in_account(service)
        return pages.problem("sign_in_first") if account is None else new_terms_page(TermsForm())

    @blueprint.post("/terms/accept")
    def accept_terms() -> ResponseReturnValue:
        account = sessions.signed_in_account(service)
        if account is None:
            return pages.problem("sign_in_first")
        form, version, now = TermsForm(), service.terms.version, service.now
        if request.form.get("terms_version") != version:  # others have come into force since the page was shown
            form.terms.data = False
        if not form.validate():
            return new_terms_page(form, 422)
        with service.database.write() as transaction:
            changed = {"terms_version": version, "terms_accepted_at": now}
            transaction.execute(update(Account).where(Account.id == account.id).values(changed))
            audit.record(transaction, "terms_accepted", now=now, actor=account.id, subject=account.id, terms=version)
        return redirect(sessions.wanted(), 303)

    def new_terms_page(form: TermsForm, status: int = 200) -> ResponseReturnValue:
        html, version = service.terms.html(pages.locale()), service.terms.version
        return pages.show("terms_accept.html", status, form=form, html=html, version=version, problems=form.problems())

    @blueprint.get("/sessions")
    @signed_in_only(service)
    def show_sessions(account: Account) -> ResponseReturnValue:
        ours = sessions.current(service)
        with service.database.read() as transaction:
            rows = transaction.scalars(
                select(Session)
                .where(sessions.of_account(account), Session.expires_at > service.now)
                .order_by(Session.seen_at.desc())
            ).all()
        return pages.show("sessions.html", sessions=rows, current=ours and ours.key, form=ConfirmForm())

    @blueprint.post("/sessions/<key>/end")
    @signed_in_only(service)
    def end_session(account: Account, key: str) -> ResponseReturnValue:
        with service.database.write() as transaction:
            transaction.execute(delete(Session).where(Session.key == key, sessions.of_account(account)))
        return redirect("/sessions", 303)

    @blueprint.post("/sessions/end-others")
    @signed_in_only(service)
    def end_other_sessions(account: Account) -> ResponseReturnValue:
        ours = sessions.current(service)
        with service.database.write() as transaction:
            sessions.end_all(transaction, account, but=ours.id if ours else None)
            audit.record(transaction, "sessions_ended", now=service.now, actor=account.id, subject=account.id)
        return redirect("/sessions", 303)

    return blueprint


def _change_password(service: Service, account: Account, hashed: str) -> None:
    """Set it, end every session of the account, and begin a new one here."""
    now = service.now
    session = sessions.current(service)
    with service.database.write() as transaction:
        row = transaction.scalars(select(Account).where(Account.id == account.id).with_for_update()).one()
        row.password_hash, row.password_changed_at = hashed, now
        sessions.end_all(transaction, account)
        person = session.person if session else None
        sessions.begin(transaction, service, account_id=account.id, person=person)
        audit.record(transaction, "password_changed", now=now, actor=account.id, subject=account.id)
        outbox.notify(transaction, row, "password_changed", now)
