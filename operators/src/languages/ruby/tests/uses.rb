require "json"
require_relative "../lib/wheel"

module Works
  class Mill < Base::Machine
    include Comparable
    attr_reader :stones

    def grind(grain)
      @wheel.turn(grain, Weight.of(grain))
      flour = Parts::Flour.new(grain)
      puts flour
    rescue MillError
      nil
    end
  end
end
