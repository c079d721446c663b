# Home Assistant resolves voluptuous to probatio; so do the type checks.
from probatio import *
