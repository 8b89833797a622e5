"""Devices that wait for somebody to log in (RFC 8628)."""

from koproxy_harness.issuer.users import User

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def test_a_device_that_asks_too_often_has_to_wait_longer(site, error):
    device = site.post("/device_authorization", client_id="tv").body
    assert device["interval"] == 1

    def ask():
        return site.post(
            "/token", grant_type=DEVICE, client_id="tv", device_code=device["device_code"]
        )

    assert error(ask()) == "authorization_pending"
    site.clock.move(0.9)  # clients are not exact
    assert error(ask()) == "authorization_pending"
    assert error(ask()) == "slow_down"
    site.clock.move(1)
    assert error(ask()) == "slow_down"
    site.clock.move(11)
    assert error(ask()) == "authorization_pending"
    site.flows.approve_device(device["user_code"], "jane")
    assert ask().status == 200


def test_a_device_code_is_for_one_client(site, error):
    device = site.post("/device_authorization", client_id="tv").body
    site.flows.approve_device(device["user_code"], "jane")
    form = {"grant_type": DEVICE, "device_code": device["device_code"]}
    assert error(site.post("/token", client_id="other", **form)) == "invalid_grant"
    assert site.post("/token", client_id="tv", **form).status == 200


def test_the_page_for_devices(site_with, error):
    site = site_with(users=[User("jane", "pass")])
    device = site.post("/device_authorization", client_id="tv", scope="openid").body
    code = device["user_code"]
    assert f'value="{code}"' in site.get("/device", user_code=code).body
    enter = {"user_code": code, "username": "jane"}
    for wrong in ({"password": "x"}, {"password": "pass", "user_code": "BBBB-BBBB"}):
        answer = site.post("/device", **{**enter, **wrong})
        assert answer.status == 403
        assert 'role="alert"' in answer.body
    assert "go back" in site.post("/device", password="pass", **enter).body
    assert site.post("/device", password="pass", **enter).status == 403  # good for once
    form = {"grant_type": DEVICE, "device_code": device["device_code"], "client_id": "tv"}
    assert site.claims(site.post("/token", **form).body["id_token"])["sub"] == "jane"

    other = site.post("/device_authorization", client_id="tv").body
    assert "Refused" in site.post("/device", action="refuse", user_code=other["user_code"]).body
    form["device_code"] = other["device_code"]
    assert error(site.post("/token", **form)) == "access_denied"


def test_a_code_that_has_expired_can_not_be_entered(site):
    device = site.post("/device_authorization", client_id="tv").body
    site.clock.move(600)
    assert site.post("/device", user_code=device["user_code"], username="jane").status == 403
