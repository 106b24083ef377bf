defmodule Mill.Core do
  use GenServer
  alias Mill.Parts.{Wheel, Stone}
  alias Mill.Grain, as: G
  import Mill.Tools, only: [weigh: 1]
  require Logger
  @behaviour Mill.Machine

  @spec grind(Grain.t()) :: term()
  def grind(grain) when is_map(grain) do
    Logger.info("x")
    wheel = %Wheel{size: weigh(grain)}
    Wheel.turn(wheel) |> sift()
  end
end

defimpl Mill.Device, for: Mill.Core do
  def run(_), do: :ok
end
