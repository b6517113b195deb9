service { name="ff" port=3 check { ttl="10s"} }
