"""The command's file: what it means, and where it says that something is wrong."""

from pathlib import Path

import pytest
from koproxy_harness.command.configuration import configuration
from koproxy_harness.command.fields import ConfigurationError
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.users import User

WHOLE = """
users:
  - username: anna
    password: secret
    claims: &claims
      groups: [admins]
      since: 2020-01-01
  - username: bert
    claims:
      <<: *claims
      level: 3
clients:
  - {id: app, public: true, redirect_uris: ["http://127.0.0.1/callback"]}
  - {id: service, secret: hush, grant_types: [client_credentials], audience: [kubernetes]}
issuer:
  path: /realms/test
  token_lifetime: 60
kube_api:
  audience: cluster
  username_claim: email
objects:
  - {apiVersion: v1, kind: Namespace, metadata: {name: demo}}
  - more.yaml
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "more.yaml").write_text("kind: Namespace\nmetadata: {name: more}\n")
    return tmp_path / "config.yaml"


def test_a_whole_file(file):
    file.write_text(WHOLE)
    read = configuration(file)
    anna = {"groups": ["admins"], "since": "2020-01-01"}  # a date is text, as in JSON
    assert read.users == (User("anna", "secret", anna), User("bert", None, {**anna, "level": 3}))
    assert read.clients == (
        Client("app", redirect_uris=["http://127.0.0.1/callback"]),
        Client("service", "hush", grant_types=["client_credentials"], audience=["kubernetes"]),
    )
    assert read.issuer == {"path": "/realms/test", "token_lifetime": 60.0}
    assert read.kube_api == {"audience": "cluster", "username_claim": "email"}
    inline, named = (each.manifest for each in read.objects)
    assert inline == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}
    assert named == "kind: Namespace\nmetadata: {name: more}\n"


@pytest.mark.parametrize("text", ["", "# nothing\n", "users:\nobjects:\n"])
def test_an_empty_file(file, text):
    file.write_text(text)
    assert configuration(file) == configuration_of_nothing()


def configuration_of_nothing():
    from koproxy_harness.command.configuration import Configuration

    return Configuration()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usres: []", "line 1: usres is not known; did you mean users? There are: users, clients"),
        ("users:\n- {username: a}\n- {pasword: b}", "line 3: users[1].pasword is not known; did"),
        ("quite: 1", "line 1: quite is not known; there are: users"),
        ("users:\n- password: b", "line 2: users[0] must have a username"),
        ("users: {username: a}", "line 1: users must be a list"),
        ("users: [{username: 12}]", "line 1: users[0].username must be text, not 12"),
        ("users: [{username: a, claims: [b]}]", "users[0].claims must be fields with names"),
        (
            "users: [{username: a, claims: {b: .nan}}]",
            "users[0].claims are not taken: the claim 'b'",
        ),
        ("users: [a]", "users[0] must have fields: username, password, claims"),
        ("users: []\nusers: []", "line 2: users is there twice"),
        ("clients: [{secret: a}]", "clients[0] must have an id"),
        ("clients: [{id: a, secret: b, public: true}]", "clients[0].public is false for a client"),
        ("clients: [{id: a, public: false}]", "clients[0].public is false for a client with"),
        ("clients: [{id: a, public: 1}]", "clients[0].public must be true or false, not 1"),
        ("clients: [{id: a, redirect_uris: b}]", "clients[0].redirect_uris must be a list"),
        ("clients: [{id: a, grant_types: b}]", "clients[0].grant_types must be a list"),
        ("issuer: {token_lifetime: true}", "issuer.token_lifetime must be a number above zero"),
        ("issuer: {token_lifetime: 0}", "issuer.token_lifetime must be a number above zero"),
        ("objects: [nowhere.yaml]", "objects[0] names the file"),
        ("objects: [3]", "objects[0] must be text, not 3"),
        ("a: [", "is not YAML: "),
        ("a: 1\n---\nb: 2", "is not YAML: but found another document, in line 2"),
        ("issuer: {path: !odd x}", "issuer.path can't be read: could not determine a constructor"),
        ("[]", "line 1: the file must have fields: users"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(file, text, said):
    file.write_text(text)
    with pytest.raises(ConfigurationError) as wrong:
        configuration(file)
    assert str(wrong.value).startswith(str(file))
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.yaml can't be read: No such file"):
        configuration(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text"):
        configuration(binary)
