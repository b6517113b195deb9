data_dir = "/tmp" foo = 1
