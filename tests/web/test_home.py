"""The first page and the stations."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import Browsing
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow

SignIn = Callable[..., Page]


def test_the_stations_of_a_collaboration_tell_their_state_and_rules(
    browsing: Browsing, signed_in: SignIn, federation: Federation
) -> None:
    page = signed_in("researcher", f"stations?collaboration={federation.collaboration}")
    table = page.get_by_role("table", name="example_collab1")
    for name in federation.ids:
        row = table.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text("online")
        expect(row.locator("time")).to_have_attribute("datetime", re.compile("^20"))
    expect(page.get_by_text("encrypted · 3 of 3 online")).to_be_visible()
    expect(table).to_contain_text("Images:")
    browsing.photograph(page, "stations")


def test_an_invitation_is_accepted_at_home(signed_in: SignIn, federation: Federation) -> None:
    own, other, *_ = federation.ids.values()
    with closing(federation.client("root", "root")) as root:
        made = root.collaboration.create("<b>hearts</b>", organizations=[other], encrypted=False)
        invitation = {"collaboration_id": made["id"], "organization_id": own}
        root.request("invitation", method="post", json=invitation)
    page = signed_in("viewer")
    expect(page.get_by_text("Your organization is invited to <b>hearts</b>")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    page = signed_in("organization_admin")
    page.get_by_role("button", name="Decline the invitation to <b>hearts</b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Accept the invitation to <b>hearts</b>").click()
    mine = page.get_by_role("table", name="My collaborations")
    expect(mine.get_by_role("row").filter(has_text="<b>hearts</b>")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    page.get_by_role("link", name="Stations of <b>hearts</b>").click()
    expect(page.get_by_role("heading", level=2, name="<b>hearts</b>")).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("no station")
