-- One tools/call, over and over. The environment has its headers (a flat JSON object) and body.
wrk.method = "POST"
for name, value in string.gmatch(os.getenv("HEADERS"), '"([^"]+)": "([^"]*)"') do
  wrk.headers[name] = value
end
wrk.body = os.getenv("BODY")
