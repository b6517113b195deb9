kind = "service-resolver"
name = "web"
default_subset = "v1"
connect_timeout = "15s"
subsets = { v1 = { filter = "Service.Meta.version == v1" }  "v2" = { filter = "x" only_passing = true } }
failover = { "*" = { datacenters = ["dc2","dc3"] } }
