# frozen_string_literal: true

# Keeps grain.
module Grain
  CAPACITY = 64

  # A place for grain.
  class Silo < Base
    include Comparable
    attr_reader :grains

    # Makes a silo.
    def initialize(grains, limit: 3)
      @grains = grains
    end

    # Opens one.
    def self.open(path)
      new(path)
    end

    class << self
      def build; new([]); end
    end

    def full? = grains.size > CAPACITY

    def <=>(other)
      1
    end
  end
end

class Grain::Door; end

def helper(x)
  x
end
