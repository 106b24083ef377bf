using System;

namespace Grain.Store
{
    /// <summary>
    /// A place for grain.
    /// </summary>
    [Serializable]
    public class Silo<T> : Base, IMill<T> where T : new()
    {
        /// <summary>The most grains.</summary>
        public const int Capacity = 64;
        private int size, spare;
        public string Name { get; set; }
        public int First => grains[0];
        public event EventHandler Opened;
        public T this[int i] { get { return grains[i]; } }

        /// <summary>Makes a silo.</summary>
        public Silo(int size) { this.size = size; }
        ~Silo() { }

        /// <summary>Adds a grain.</summary>
        [Obsolete]
        public async Task<int> Add(T grain)
        {
            int Local(int x) => x;
            return Local(1);
        }

        public static Silo<T> operator +(Silo<T> a, Silo<T> b) => a;
    }

    public interface IMill<T> { void Add(T grain); int Turns { get; } }
    public enum Failure { Full = 1, Shut }
    public struct Pair { public int A; }
    public record Point(int X, int Y);
    public delegate void Handler(object sender);
}
