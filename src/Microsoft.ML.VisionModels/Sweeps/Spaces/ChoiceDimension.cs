using System.Globalization;
using System.Text.Json.Serialization;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>One of several values without an order. Its places are 0, 1, 2…: the values' numbers.</summary>
/// <param name="Name">The property that it sets.</param>
/// <param name="Values">The values: numbers, texts, names of an enumeration, or Booleans.</param>
/// <param name="Start">The one where a search begins.</param>
internal sealed record ChoiceDimension(string Name, IReadOnlyList<object> Values, object Start) : Dimension(Name)
{
    [JsonIgnore]
    public override object InitialValue => Read(Start);

    [JsonIgnore]
    public override int? Count => Values.Count;

    public override object ValueAt(double place) => Values[(int)Math.Clamp(place, 0, Values.Count - 1)];

    public override object Read(object value) => ValueAt(PlaceOf(value));

    public override double PlaceOf(object value)
    {
        for (var i = 0; i < Values.Count; i++)
        {
            if (IsSame(Values[i], value))
                return i;
        }
        throw new ArgumentException($"{Name} is {value}, which is none of {string.Join(", ", Values)}.");
    }

    // 1 and 1.0 are the same number.
    private static bool IsSame(object a, object b) => a is int or double && b is int or double
        ? Convert.ToDouble(a, CultureInfo.InvariantCulture) == Convert.ToDouble(b, CultureInfo.InvariantCulture)
        : a.Equals(b);
}
