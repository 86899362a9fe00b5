"""The options of curl that a command may have, as a table."""

from __future__ import annotations

from typing import NamedTuple

_TABLE = """
X request             value
H header              value
b cookie              value
F form                value
- form-string         value
d data                value
- data-raw            value
- data-binary         value
- data-ascii          value
- data-urlencode      value
- json                value
u user                value
A user-agent          value
e referer             value
- url                 value
- url-query           value
- oauth2-bearer       value
G get                 flag
I head                flag
L location            flag
- location-trusted    flag
g globoff             flag
- path-as-is          flag
- compressed          flag
- basic               flag
k insecure            ignored
i include             ignored
i show-headers        ignored
s silent              ignored
S show-error          ignored
v verbose             ignored
f fail                ignored
- fail-with-body      ignored
N no-buffer           ignored
O remote-name         ignored
J remote-header-name  ignored
0 http1.0             ignored
- http1.1             ignored
- http2               ignored
- http3               ignored
4 ipv4                ignored
6 ipv6                ignored
j junk-session-cookies ignored
# progress-bar        ignored
- no-progress-meter   ignored
- no-keepalive        ignored
- ssl-no-revoke       ignored
- post301             ignored
- post302             ignored
- post303             ignored
o output              ignored-value
w write-out           ignored-value
m max-time            ignored-value
- connect-timeout     ignored-value
- retry               ignored-value
- retry-delay         ignored-value
- max-redirs          ignored-value
c cookie-jar          ignored-value
D dump-header         ignored-value
- stderr              ignored-value
- trace               ignored-value
- trace-ascii         ignored-value
T upload-file         refused it would upload a file
K config              refused it would read a file of options
n netrc               refused it would read passwords from a file
- netrc-file          refused it would read passwords from a file
E cert                refused it would read a certificate from a file
- key                 refused it would read a key from a file
- cacert              refused it would read a certificate from a file
x proxy               refused requests are fired without a proxy
- resolve             refused requests go where the host name leads
- connect-to          refused requests go where the host name leads
- unix-socket         refused requests go over TCP
- digest              refused only -u with Basic is known
- ntlm                refused only -u with Basic is known
- negotiate           refused only -u with Basic is known
: next                refused only one request can be imported
- request-target      refused requests ask for the path of their URL
"""


class Option(NamedTuple):
    """One option: *kind* says whether it counts, and whether a value follows it."""

    name: str
    kind: str
    reason: str = ""


_ROWS = [line.split(None, 3) for line in _TABLE.strip().splitlines()]
LONG = {row[1]: Option(*row[1:]) for row in _ROWS}
"""By the long name."""
SHORT = {row[0]: LONG[row[1]] for row in _ROWS if row[0] != "-"}
"""By the letter."""
