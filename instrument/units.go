package instrument

// LU is a difference of loudness in loudness units (EBU Tech 3341; 1 LU is 1 dB).
type LU float64

// Decibel is a gain in dB: positive is louder.
type Decibel float64
