curl 'http://127.0.0.1:8888/upload' --compressed -X POST -H 'User-Agent: Mozilla/5.0' \
 -H 'Accept-Encoding: gzip, deflate, br, zstd' -H 'Content-Type: multipart/form-data; boundary=--x' \
 -H 'Priority: u=0, i' --data-binary $'----x\r\nContent-Disposition: form-data; name="f"\r\n\r\n\xe9\r\n----x--\r\n'
