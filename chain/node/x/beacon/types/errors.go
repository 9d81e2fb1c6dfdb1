package types

import errorsmod "cosmossdk.io/errors"

// What a registration can be refused for.
var (
	ErrNoValidator = errorsmod.Register("beacon", 2, "the account is behind no validator")
	ErrKeySize     = errorsmod.Register("beacon", 3, "a key has 32 bytes")
	ErrOnItsWay    = errorsmod.Register("beacon", 4, "a key is on its way already")
)
