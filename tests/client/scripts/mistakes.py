"""A script with a mistake in each line that says so: mypy has to find them all, and no others."""

from vantage6.client import Client
from vantage6.client.types import Task
from vantage6.common.errors import Invalid

client = Client("http://127.0.0.1", 5000, api="/api")  # mistake
client.authenticate("ada")  # mistake
client.setup_encryption(7)  # mistake
client.wait_for_results("3")  # mistake
task: Task = client.task.get(3)
print(task["identity"])  # mistake
print(client.whoami.name)  # mistake
print(client.reslut.get(3))  # mistake
print(Invalid("no").status_code_of_http)  # mistake
