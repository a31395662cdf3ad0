"""An encrypted collaboration: keys, and who can read a result.

Needs the private key of your organization: --key, or V6_KEY.
"""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.connection import arguments, connect
from vantage6.client import Client, RSACryptor
from vantage6.common.errors import Conflict

IMAGE = "harbor2.vantage6.ai/demo/average"
KEY = arguments(__doc__).key


def make_a_key(client: Client) -> None:
    """Make a key pair, and see that it does not replace the key of the organization."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "private_key.pem"
        RSACryptor.create_new_rsa_key(file)  # only its owner may read the file
        public_key = RSACryptor(file).public_key_str
        print("A new key has the fingerprint", RSACryptor.fingerprint(public_key))
        try:
            # The first key of an organization is registered by this line. A second one would
            # make all older results unreadable, so it needs `replace=True`.
            client.setup_encryption(file)
        except Conflict as error:
            print("It is not taken:", error.message.partition(". ")[0])


with closing(connect(__doc__, encryption=False)) as client:
    make_a_key(client)

    client.setup_encryption(KEY)
    collaboration = client.collaboration.list()[0]
    members = [organization["id"] for organization in collaboration["organizations"]]
    task = client.task.create(
        collaboration=collaboration["id"],
        organizations=members,
        name="encrypted",
        image=IMAGE,
        description="",
        input={"method": "average_partial", "kwargs": {"column_name": "age"}},
        data_format="json",
    )
    client.wait_for_results(task["id"], timeout=300)
    answers = client.result.from_task(task["id"])
    print("With the key: ", [answer["result"] for answer in answers])

    client.setup_encryption(None)  # as anybody else who may see the results at the server
    answers = client.result.from_task(task["id"])
    print("Without it:   ", [answer["result"][:12] + "..." for answer in answers])
