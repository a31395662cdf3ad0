"""The programs that the images of `test_services` run."""

#: What the image does: it runs the program of its input, and answers what that answers.
RUN = """
import json, os
given = json.loads(open(os.environ['INPUT_FILE']).read().partition('.')[2])
names = {}
exec(given['program'], names)
open(os.environ['OUTPUT_FILE'], 'w').write('json.' + json.dumps(names['answer']()))
"""

_WAITING = """
import json, os, socket, threading, time, urllib.error, urllib.request
def insist(call):
    for _ in range(200):
        try:
            return call()
        except OSError as error:
            reason = getattr(error, 'reason', error)
            if not isinstance(reason, ConnectionRefusedError):
                return type(reason).__name__
            time.sleep(0.05)
    return 'refused'
def wait_for(name):
    while not os.path.exists('/mnt/tmp/' + name):
        time.sleep(0.05)
def greeting(host, port):
    with socket.create_connection((host, port), timeout=20) as there:
        return there.recv(99).decode()
"""

#: Ask each service of the station, when the test says so.
VISIT = (
    _WAITING
    + """
def answer():
    wait_for('begin')
    return [
        insist(lambda: urllib.request.urlopen('ADDRESS', timeout=20).read().decode()),
        insist(lambda: greeting('warehouse', 5432)),
        insist(lambda: greeting('triples', 8000)),
    ]
"""
)

#: Serve a number on each of two ports, and when the test says so, ask everybody for theirs.
MEET = (
    _WAITING
    + """
ages = open(os.environ['DATABASE_URI']).read().split()[1:]
numbers = {8001: str(sum(map(int, ages))), 8002: str(len(ages))}
def serve(port):
    listener = socket.create_server(('127.0.0.1', port))
    while True:
        caller, _ = listener.accept()
        with caller:
            caller.sendall(numbers[port].encode())
def addresses():
    url = os.environ['HOST'] + ':' + os.environ['PORT'] + '/vpn/algorithm/addresses'
    headers = {'Authorization': 'Bearer ' + open(os.environ['TOKEN_FILE']).read()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as reply:
        return json.load(reply)['addresses']
def answer():
    for port in numbers:
        threading.Thread(target=serve, args=(port,), daemon=True).start()
    wait_for('begin')
    found = [
        [at['organization_id'], at['label'], insist(lambda: greeting(at['ip'], at['port']))]
        for at in insist(addresses)
    ]
    open('/mnt/tmp/done', 'w').close()
    wait_for('end')
    return sorted(found)
"""
)
