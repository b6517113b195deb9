Kind = "service-splitter"
Name = "web"
Splits = [ { Weight = 90 ServiceSubset = "v1" }, { Weight = 10 Service = "v2" } ]
