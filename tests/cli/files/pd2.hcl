Kind = "proxy-defaults"
Name = "global"
Config { local_connect_timeout_ms = 1000 handshake_timeout_ms = 10000 nested { a = [1,2,"x"] b { c = true } } }
MeshGateway { Mode = "local" }
Expose { Checks = true Paths = [ { Path = "/x" ListenerPort = 3 LocalPathPort=4 } ] }
