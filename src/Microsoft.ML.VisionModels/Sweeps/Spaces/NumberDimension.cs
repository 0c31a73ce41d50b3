using System.Globalization;
using System.Text.Json.Serialization;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>A number between two others, on a plain or on a logarithmic scale.</summary>
/// <param name="Name">The property that it sets.</param>
/// <param name="Low">The smallest value.</param>
/// <param name="High">The largest value.</param>
/// <param name="Start">Where a search begins.</param>
/// <param name="IsLogarithmic">Whether factors count, and not differences.</param>
/// <param name="IsInteger">Whether the values are whole numbers.</param>
internal sealed record NumberDimension(string Name, double Low, double High, double Start, bool IsLogarithmic = false, bool IsInteger = false) : Dimension(Name)
{
    [JsonIgnore]
    public override object InitialValue => Read(Start);

    [JsonIgnore]
    public override int? Count => IsInteger ? (int)(High - Low) + 1 : null;

    public override object ValueAt(double place)
    {
        // Every whole number has a share of the line, those at its ends too.
        var x = First + Math.Clamp(place, 0, 1) * (Last - First);
        var value = IsLogarithmic ? Math.Exp(x) : x;
        value = Math.Clamp(IsInteger ? Math.Round(value) : value, Low, High);
        return IsInteger ? (int)value : (object)value;
    }

    public override object Read(object value) => IsInteger ? Convert.ToInt32(value, CultureInfo.InvariantCulture) : (object)Convert.ToDouble(value, CultureInfo.InvariantCulture);

    /// <exception cref="ArgumentException">The range is empty, has no logarithm or no whole number at an end, or does not hold its start.</exception>
    public NumberDimension Validate()
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

    /// <summary>The part of the line that a whole number has.</summary>
    public (double From, double To) ShareOf(int number) => (Place(number - 0.5), Place(number + 0.5));

    private double Margin => IsInteger ? 0.5 : 0;

    private double First => Scale(Low - Margin);

    private double Last => Scale(High + Margin);

    private double Place(double value) => Last > First ? Math.Clamp((Scale(value) - First) / (Last - First), 0, 1) : 0.5;

    private double Scale(double value) => IsLogarithmic ? Math.Log(value) : value;
}
