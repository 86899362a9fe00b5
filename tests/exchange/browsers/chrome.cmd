curl ^"http://127.0.0.1:8888/login?next=1^&b=^%^41^" ^
  -H ^"accept: text/html,*/*;q=0.8^" ^
  -b ^"_xsrf=2^|ab^" ^
  -H ^"content-type: application/json^" ^
  -H ^"sec-ch-ua: ^\^"Chromium^\^";v=^\^"142^\^"^" ^
  --data-raw ^"^{^\^"a^\^":^\^"x^\^\n^\^\^\^"y^\^",^\^"p^\^":^\^"100^% ^%^PATH^%^\^"^}^"
