defmodule Grain.Silo do
  @moduledoc """
  A place for grain.
  """
  use GenServer
  @capacity 64

  defstruct [:grains, open: true]

  @doc """
  Adds a grain.
  """
  @spec add(t, any) :: t
  def add(%{grains: g} = silo, grain) when is_list(g) do
    %{silo | grains: [grain | g]}
  end

  def add(nil, _grain), do: nil

  # Checks.
  defp check(n), do: n > 0

  @doc "Doubles."
  defmacro double(x) do
    quote do: unquote(x) * 2
  end

  defmodule Door do
    def shut, do: :ok
  end
end

defprotocol Mill do
  @doc "Mills it."
  def mill(grain)
end

defimpl Mill, for: Integer do
  def mill(n), do: n
end
