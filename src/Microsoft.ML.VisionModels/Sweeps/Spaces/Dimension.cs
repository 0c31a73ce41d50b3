using System.Globalization;
using System.Text.Json.Serialization;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>
/// A hyper-parameter that is searched. Each value has a place, so that samplers need not know the values: numbers have places on a line from
/// 0 to 1, and the places of values without an order are their indices.
/// </summary>
/// <param name="Name">The name of the property that it sets.</param>
[JsonDerivedType(typeof(NumberDimension), "number")]
[JsonDerivedType(typeof(ChoiceDimension), "choice")]
internal abstract record Dimension(string Name)
{
    /// <summary>The value at which a search begins.</summary>
    [JsonIgnore]
    public abstract object InitialValue { get; }

    /// <summary>The place of <see cref="InitialValue"/>.</summary>
    [JsonIgnore]
    public double Initial => PlaceOf(InitialValue);

    /// <summary>The number of values; null for real numbers.</summary>
    [JsonIgnore]
    public abstract int? Count { get; }

    /// <summary>The value at a place: a double, an int, a bool or a string.</summary>
    public abstract object ValueAt(double place);

    /// <summary>Converts a value that was read from JSON to the type of this dimension's values.</summary>
    public abstract object Read(object value);

    /// <summary>The place of a value.</summary>
    public abstract double PlaceOf(object value);

    /// <exception cref="ArgumentException">It has no values, or none at which a search begins.</exception>
    public abstract Dimension Validate();
}

/// <summary>A number between two others, on a plain or on a logarithmic scale.</summary>
/// <param name="Name">The name of the property that it sets.</param>
/// <param name="Low">The smallest value.</param>
/// <param name="High">The largest value.</param>
/// <param name="Start">The value at which a search begins.</param>
/// <param name="IsLogarithmic">Whether the scale is logarithmic.</param>
/// <param name="IsInteger">Whether the values are whole numbers.</param>
internal sealed record NumberDimension(string Name, double Low, double High, double Start, bool IsLogarithmic = false, bool IsInteger = false) : Dimension(Name)
{
    [JsonIgnore]
    public override object InitialValue => Read(Start);

    [JsonIgnore]
    public override int? Count => IsInteger ? (int)(High - Low) + 1 : null;

    public override object ValueAt(double place)
    {
        // Every whole number has a part of the line, including those at its ends.
        var x = First + Math.Clamp(place, 0, 1) * (Last - First);
        var value = IsLogarithmic ? Math.Exp(x) : x;
        value = Math.Clamp(IsInteger ? Math.Round(value) : value, Low, High);
        return IsInteger ? (int)value : (object)value;
    }

    public override object Read(object value) => IsInteger ? Convert.ToInt32(value, CultureInfo.InvariantCulture) : (object)Convert.ToDouble(value, CultureInfo.InvariantCulture);

    /// <exception cref="ArgumentException">The range is empty, has no logarithm, does not begin and end at whole numbers, or does not contain its start.</exception>
    public override NumberDimension Validate()
    {
        if (!(Low <= High) || !double.IsFinite(Low) || !double.IsFinite(High))
            throw new ArgumentException($"The range of {Name}, {Low} to {High}, is empty.");
        if (IsInteger && (Low % 1, High % 1) != (0, 0))
            throw new ArgumentException($"The range of {Name}, {Low} to {High}, does not begin and end at whole numbers.");
        if (IsLogarithmic && Low <= 0)
            throw new ArgumentException($"The range of {Name} begins at {Low}; a logarithmic one must begin above 0.");
        if (!(Start >= Low && Start <= High))
            throw new ArgumentException($"The range of {Name}, {Low} to {High}, does not hold the initial value {Start}.");
        return this;
    }

    public override double PlaceOf(object value) => Place(Convert.ToDouble(value, CultureInfo.InvariantCulture));

    /// <summary>The part of the line that belongs to a whole number.</summary>
    public (double From, double To) ShareOf(int number) => (Place(number - 0.5), Place(number + 0.5));

    private double Margin => IsInteger ? 0.5 : 0;

    private double First => Scale(Low - Margin);

    private double Last => Scale(High + Margin);

    private double Place(double value) => Last > First ? Math.Clamp((Scale(value) - First) / (Last - First), 0, 1) : 0.5;

    private double Scale(double value) => IsLogarithmic ? Math.Log(value) : value;
}

/// <summary>One of several values without an order. Their places are 0, 1, 2…</summary>
/// <param name="Name">The name of the property that it sets.</param>
/// <param name="Values">The values: numbers, texts, names of an enumeration, or Booleans.</param>
/// <param name="Start">The value at which a search begins.</param>
internal sealed record ChoiceDimension(string Name, IReadOnlyList<object> Values, object Start) : Dimension(Name)
{
    [JsonIgnore]
    public override object InitialValue => Read(Start);

    [JsonIgnore]
    public override int? Count => Values.Count;

    public override object ValueAt(double place) => Values[(int)Math.Clamp(place, 0, Values.Count - 1)];

    public override object Read(object value) => ValueAt(PlaceOf(value));

    /// <exception cref="ArgumentException">There are no values, or the initial one is none of them.</exception>
    public override ChoiceDimension Validate()
    {
        PlaceOf(Start);
        return this;
    }

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
