# The broker of the tests has no https, which the discovery of this library takes for granted.
require 'swd'
SWD.url_builder = URI::HTTP
