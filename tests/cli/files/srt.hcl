Kind = "service-router"
Name = "web"
Routes = [ { Match { HTTP { PathPrefix = "/admin" Header = [ { Name = "x" Exact = "1" } ] QueryParam = [{Name="q" Present=true}] Methods=["GET"] } } Destination { Service = "admin" NumRetries = 3 RetryOnStatusCodes=[1,2] RequestTimeout = "15s" PrefixRewrite="/" } } ]
