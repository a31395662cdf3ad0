"""Administrators do their work in the pages, and see no more than their rules allow."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Page, Response, expect

from tests.web.browsing import PATIENCE, Browsing, enter
from tests.web.people import Person
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE)

#: What each role may begin.
MAY_BEGIN = {
    "viewer": set[str](),
    "researcher": set[str](),
    "organization_admin": {"New user", "New role", "New node"},
    "collaboration_admin": {"New user", "New role", "New node"},
    "root": {"New organization", "New collaboration", "New user", "New role", "New node"},
}
LISTS = ("Organizations", "Collaborations", "Users", "Roles", "Nodes")


@dataclass
class Things:
    """Numbers of what the pages show: of the own organization, and of a partner in its work."""

    own: int
    partner: int
    own_node: int
    partner_node: int
    user: int
    root: int


@pytest.fixture(scope="module")
def things(federation: Federation) -> Things:
    own, partner, *_ = federation.ids.values()
    with closing(federation.client("root", "root")) as root:
        nodes = {
            node["organization"]["id"]: node["id"]
            for node in root.node.list(include_metadata=False)
        }
        users = {
            user["username"]: user["id"]
            for user in root.user.list(include_metadata=False, per_page=100)
        }
    return Things(own, partner, nodes[own], nodes[partner], users["rosa"], users["root"])


_LEAVE = """path => {
  for (const heading of document.querySelectorAll("h1")) heading.dataset.left = "";
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}"""


def go(page: Page, path: str) -> None:
    """Go to an address of the administration as a link does, and wait for its content."""
    # By way of another page: a page that is told to show something else keeps its heading.
    for address in ("admin/", f"admin/{path}"):
        if page.url.endswith(f"/app/{address}"):
            continue
        page.evaluate(_LEAVE, f"/app/{address}")
        expect(page.locator("h1:not([data-left])")).to_have_count(1)
    expect(page.get_by_text("Loading …")).to_have_count(0)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


@contextmanager
def noting_refusals(page: Page) -> Iterator[list[str]]:
    """Collect the requests that the server refuses for want of a rule."""
    refused: list[str] = []

    def note(answer: Response) -> None:
        if answer.status in (401, 403):
            refused.append(f"{answer.request.method} {answer.url}")

    page.on("response", note)
    yield refused
    page.remove_listener("response", note)


@pytest.mark.parametrize("role", MAY_BEGIN)
def test_no_page_asks_for_what_the_rules_of_a_role_do_not_allow(
    signed_in: Callable[..., Page], federation: Federation, things: Things, role: str
) -> None:
    page = signed_in(role)
    addresses = [
        f"{name}/{id_}"
        for name, ids in {
            "organizations": ("new", 1, things.own, things.partner),
            "collaborations": ("new", federation.collaboration),
            "users": ("new", things.user, things.root),
            "roles": ("new", 1, 4, 7),
            "nodes": ("new", things.own_node, things.partner_node),
        }.items()
        for id_ in ids
    ]
    with noting_refusals(page) as refused:
        for address in addresses:
            go(page, address)
            expect(page.get_by_text("The server refuses this")).to_have_count(0)
        seen: set[str] = set()
        for name in LISTS:
            go(page, name.lower())
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            seen |= set(
                page.locator("main").get_by_role("link", name=re.compile("^New ")).all_inner_texts()
            )
    assert refused == []
    assert seen == MAY_BEGIN[role]


@pytest.mark.parametrize("role", MAY_BEGIN)
def test_a_partner_is_changed_by_the_holder_of_every_rule_alone(
    signed_in: Callable[..., Page], things: Things, role: str
) -> None:
    page = signed_in(role, f"admin/organizations/{things.partner}")
    expect(page.get_by_text("Fingerprint", exact=True)).to_be_visible()
    shown = page.get_by_role("button", name="Save", exact=True)
    expect(shown).to_have_count(1 if role == "root" else 0)
    # SECURITY: the holder of the key reads what is encrypted for the organization.
    expect(page.get_by_text("Change the public key")).to_have_count(0)


def test_a_new_hospital_gets_users_and_the_key_of_its_node_by_visible_labels(
    browsing: Browsing, federation: Federation
) -> None:
    page = browsing.sign_in("root")
    page.get_by_role("link", name="Administration").first.click()
    page.get_by_role("link", name="Organizations").first.click()
    page.get_by_role("link", name="New organization").click()
    page.get_by_label("Name", exact=True).fill("Hospital of Delft")
    page.get_by_label("Country").fill("Netherlands")
    page.get_by_role("button", name="Create organization").click()
    expect(page.get_by_role("heading", name="Hospital of Delft")).to_be_visible()

    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill("dora")
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("E-mail address").fill("dora@delft.example")
    page.get_by_role("checkbox", name="Organization Admin").check()
    password = page.get_by_label("First password").input_value()
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_text("The user dora is created.")).to_be_visible()
    expect(page.get_by_text(password, exact=True)).to_be_visible()

    # Not with those of the other tests, whose tasks would find a member without a key.
    page.get_by_role("link", name="Collaborations").click()
    page.get_by_role("link", name="New collaboration").click()
    page.get_by_label("Name", exact=True).fill("Study of Delft")
    page.get_by_role("checkbox", name="Hospital of Delft").check()
    page.get_by_role("button", name="Create collaboration").click()
    page.get_by_role("link", name="Register a node of Hospital of Delft").click()
    page.get_by_role("button", name="Create node").click()
    key = page.locator("code.secret").inner_text()
    expect(page.get_by_text("vnode new --name hospital-of-delft")).to_be_visible()
    expect(page.get_by_text(f"api_key: {key}")).to_be_visible()
    browsing.photograph(page, "node")
    assert key not in page.get_by_text("vnode new").inner_text()

    page.get_by_role("link", name="Show the node").click()
    expect(page.get_by_text("The server keeps no copy")).to_be_visible()
    expect(page.get_by_text(key)).to_have_count(0)
    # The key opens the server to the node, and the password to the user, who sees her hospital.
    answer = httpx2.post(f"{federation.address}/api/token/node", json={"api_key": key})
    assert answer.status_code == 200
    hers = browsing.open()
    enter(hers, Person("dora", password, "Organization Admin"))
    go(hers, "users")
    expect(hers.get_by_role("cell", name="Hospital of Delft")).to_be_visible()


def test_a_role_is_made_of_the_rules_that_its_author_holds(
    browsing: Browsing, signed_in: Callable[..., Page]
) -> None:
    page = signed_in("organization_admin", "admin/roles/new")
    page.get_by_label("Name", exact=True).fill("Reader")
    page.get_by_label("Description").fill("Reads.")
    # SECURITY: what one does not hold is not given.
    expect(page.get_by_role("checkbox", name="See every registered node")).to_be_disabled()
    page.get_by_role("checkbox", name="See nodes owned by your own organization").check()
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_role("heading", name="Reader")).to_be_visible()
    page.get_by_role("checkbox", name="See users of your own organization").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("In sentences (2)")).to_be_visible()
    browsing.photograph(page, "role")
    page.get_by_role("button", name="Delete Reader").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem").first).to_have_text("Reader")
    dialog.get_by_role("button", name="Delete Reader").click()
    expect(page.get_by_role("heading", name="Roles", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Reader")).to_have_count(0)


def test_a_user_loses_rights_sessions_and_account_only_after_a_question_with_its_name(
    browsing: Browsing, federation: Federation
) -> None:
    page = browsing.sign_in("organization_admin", "admin/users/new")
    page.get_by_label("User name").fill("tom")
    page.get_by_role("checkbox", name="Viewer").check()
    password = page.get_by_label("First password").input_value()
    page.get_by_role("button", name="Create user").click()
    page.get_by_role("link", name="Show tom").click()
    with closing(federation.client("tom", password)):
        go(page, "users")
        page.get_by_role("link", name="tom", exact=True).click()
        expect(page.get_by_role("table", name="Where the user is signed in")).to_be_visible()
    page.get_by_role("button", name="Take all rights away").click()
    dialog = page.get_by_role("dialog", name="Take all rights of tom away?")
    dialog.get_by_role("button", name="Take all rights away").click()
    expect(page.get_by_text("The user is signed in nowhere.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Viewer")).not_to_be_checked()
    page.get_by_role("button", name="Delete tom").click()
    dialog = page.get_by_role("dialog", name="Delete the user tom?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="tom")).to_be_visible()
    page.get_by_role("button", name="Delete tom").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete tom").click()
    expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="tom", exact=True)).to_have_count(0)


def test_names_of_others_are_text_and_show_what_is_hidden_in_them(
    signed_in: Callable[..., Page], federation: Federation
) -> None:
    name = "<img src=x onerror=alert(1)>\u202egnp.exe"
    with closing(federation.client("root", "root")) as root:
        id_ = root.organization.create(
            name=name, address1="", address2="", zipcode="", country="", domain=""
        )["id"]
    page = signed_in("root", f"admin/organizations/{id_}")
    shown = "<img src=x onerror=alert(1)>\\u202egnp.exe"
    expect(page.get_by_role("heading", level=1)).to_have_text(shown)
    go(page, "organizations?name=onerror")
    expect(page.get_by_role("link", name=shown)).to_be_visible()
    expect(page.locator("img")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_fits_its_window_and_everybody(
    browsing: Browsing, federation: Federation, things: Things, width: int, scheme: str
) -> None:
    page = browsing.sign_in("root", "admin/", color_scheme=scheme)
    # Where the window is narrow, the menu is folded.
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        "",
        *(name.lower() for name in LISTS),
        *(f"{name.lower()}/new" for name in LISTS),
        f"organizations/{things.own}",
        f"collaborations/{federation.collaboration}",
        f"users/{things.user}",
        "roles/4",
        f"nodes/{things.own_node}",
    ):
        go(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        browsing.check(page)
