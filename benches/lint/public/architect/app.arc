@app
chat

@http

@ws
chat

@tables
connections
  connectionId *String
  ttl TTL
