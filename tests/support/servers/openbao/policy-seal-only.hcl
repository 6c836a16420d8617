# May wrap data keys, may not unwrap any.
path "transit/encrypt/*" { capabilities = ["update"] }
