using System.Collections.Generic;
using Mill.Parts;
using W = Mill.Parts.Wheel; // @ Wheel -> file W
using static Mill.Tools.Units;

namespace Mill.Core
{
    [Machine("mill")] // @ Machine -> unit MachineAttribute
    public class Grinder<T> : Base<T>, ICloser where T : Load // @ Base -> free Base [base unit Grinder]; ICloser -> free ICloser [base unit Grinder]; Load -> free Load; T -> local
    {
        private readonly W _wheel; // @ W -> file W [type unit Grinder _wheel]
        private Dictionary<string, Stone> _stones = new(); // @ Stone -> unit Stone [type unit Grinder _stones []]
        public Color Color { get; set; } // @ Color -> free Color [type unit Grinder Color]
        public Gauge Gauge => _wheel.Gauge; // @ Gauge -> free Gauge & unit Grinder _wheel Gauge; _wheel -> unit Grinder _wheel

        public Grinder(W wheel) : base(wheel) // @ W -> file W
        {
            _wheel = wheel; // @ _wheel -> unit Grinder _wheel
            this.Color = Color.Red; // @ Color -> unit Grinder Color; Red -> unit Grinder Color Red
        }

        public Flour Grind(Grain grain, int depth = Max) // @ Flour -> free Flour [type unit Grinder Grind ()]; Grain -> free Grain; Max -> unit Grinder Max
        {
            _wheel.Turn(grain); // @ Turn -> unit Grinder _wheel Turn
            Start(); // @ Start -> unit Grinder . Start
            Gauge?.Read().Show(); // @ Gauge -> unit Grinder Gauge; Read -> unit Grinder Gauge Read; Show -> unit Grinder Gauge Read () Show
            foreach (var stone in _stones) stone.Turn(); // @ _stones -> unit Grinder _stones; Turn -> unit Stone Turn
            _stones["x"].Turn(); // @ Turn -> unit Stone Turn
            var flour = new Flour { Weight = Weigh(grain) }; // @ Flour -> free Flour; Weight -> free Flour Weight; Weigh -> unit Grinder . Weigh
            flour.Sift<Stone>(); // @ Sift -> free Flour Sift; Stone -> unit Stone
            if (grain is Oat oat) oat.Roll(); // @ Oat -> free Oat; Roll -> free Oat Roll
            (grain as Oat).Eat(); // @ Eat -> free Oat Eat
            ((Oat)grain).Chew(); // @ Chew -> free Oat Chew
            base.Stop(); // @ Stop -> free Base Stop
            Create().Grind(null); // @ Create -> unit Grinder Create; Grind -> unit Grinder Create () Grind
            List<Stone> own = null;
            own.First().Turn(); // @ Turn -> unit Stone Turn
            own.ForEach(s => s.Turn()); // @ Turn -> unit Stone Turn
            int Twice(int n) => n * 2;
            Twice(depth); // @ Twice -> unit Grinder Grind Twice
            if (Read(out Sack sack)) sack.Fill(); // @ Sack -> free Sack; Fill -> free Sack Fill
            try { Run(); } catch (Jam jam) { jam.Clear(); } // @ Run -> unit Grinder . Run; Jam -> free Jam; Clear -> free Jam Clear
            return Speeds.Fast == Speeds.Slow ? flour : null; // @ Speeds -> unit Grinder Speeds; Fast -> unit Grinder Speeds Fast; Slow -> unit Grinder Speeds Slow
        }

        private const int Max = 3;
        static Grinder<Load> Create() => null;
        enum Speeds { Slow, Fast }

        class Inner
        {
            void Go(Grinder<T> mill) => mill.Gauge.Read(); // @ Grinder -> unit Grinder; Gauge -> unit Grinder Gauge; Read -> unit Grinder Gauge Read
        }
    }

    public class Stone
    {
        public void Turn() => Helper.Spin(typeof(Spindle)); // @ Helper -> free Helper; Spin -> free Helper Spin; Spindle -> free Spindle
        event Action Turned; // @ Action -> free Action
        void Fire() => Turned(); // @ Turned -> unit Stone Turned
    }

    public record Point(W At) // @ W -> file W [type unit Point At]
    {
        void Go() => At.Turn(); // @ At -> local; Turn -> file W Turn
    }

    class MachineAttribute { public MachineAttribute(string name) { } }
}
