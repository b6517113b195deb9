Kind = "terminating-gateway"
Name = "tg"
Services = [ { Name = "a" CAFile = "/x" SNI = "q" } , {Name="*"} ]
