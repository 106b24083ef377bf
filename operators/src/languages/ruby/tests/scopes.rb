require_relative 'other'
module Mill
  LIMIT = 8
  class Error < StandardError; end       # @@ StandardError=none
  module Turning
    def turn(by)
      by.abs                             # @@ by=local abs=none
    end
  end
  class Part
    attr_reader :size
    def initialize(size)
      @size = size                       # @@ size=local
    end
    def weigh
      size * LIMIT                       # @@ size=Mill::Part.size LIMIT=Mill::LIMIT
    end
  end
  class Wheel < Part                     # @@ Part=Mill::Part
    include Turning                      # @@ Turning=Mill::Turning
    TEETH = 12
    def self.make
      new(TEETH)                         # @@ TEETH=Mill::Wheel::TEETH
      Wheel.new(3)                       # @@ Wheel=Mill::Wheel
    end
    def initialize(teeth)
      @next = Wheel.new(teeth)           # @@ Wheel=Mill::Wheel teeth=local
      @list = [Part.new(1)]              # @@ Part=Mill::Part
    end
    def run(given)
      @next.run(given)                   # @@ run=Mill::Wheel.run given=local
      weigh                              # @@ weigh=Mill::Part.weigh
      self.turn(2)                       # @@ turn=Mill::Turning.turn
      given.run(1)                       # @@ run=none
      wheel = Wheel.make                 # @@ make=Mill::Wheel.make
      wheel.weigh                        # @@ wheel=local weigh=Mill::Part.weigh
      wheel.size                         # @@ size=Mill::Part.size
      @list.each { |part| part.weigh }   # @@ part=local weigh=Mill::Part.weigh
      raise Error, "no" if missing?      # @@ Error=Mill::Error missing?=none
      helper(wheel).weigh                # @@ helper=Mill::Wheel.helper weigh=none
    rescue Mill::Error => error          # @@ Error=Mill::Error Mill=Mill
      error.message                      # @@ error=local message=none
    end
    def helper(x)
      x || TEETH                         # @@ x=local TEETH=Mill::Wheel::TEETH
    end
  end
end
class Mill::Stone < Mill::Part           # @@ Mill=Mill Part=Mill::Part
  def grind
    weigh + Wheel::TEETH                 # @@ weigh=Mill::Part.weigh Wheel=Mill::Wheel TEETH=Mill::Wheel::TEETH
    top(Wheel.new(1))                    # @@ top=top
  end
end
def top(wheel)
  wheel.weigh                            # @@ wheel=local weigh=none
end
stone = Mill::Stone.new(4)               # @@ Stone=Mill::Stone Mill=Mill
stone.grind                              # @@ grind=Mill::Stone.grind
top(stone)                               # @@ top=top stone=local
