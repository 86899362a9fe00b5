curl 'http://127.0.0.1:8888/login?next=\[1\]' \
  -H 'accept: text/html,*/*;q=0.8' \
  -b '_xsrf=2|ab|cd|1' \
  -H 'sec-ch-ua: "Chromium";v="142", "Not A(Brand";v="24"' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'name=it\'s\u0021&text=a\r\nb' \
  --insecure
