using System.Text.Json.Serialization;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>
/// A hyper-parameter that is searched. Its values lie on a line from 0 to 1, so that samplers need not know what they are; values
/// that are not numbers, and have no order, are numbered instead.
/// </summary>
/// <param name="Name">The property that it sets.</param>
[JsonDerivedType(typeof(NumberDimension), "number")]
[JsonDerivedType(typeof(ChoiceDimension), "choice")]
internal abstract record Dimension(string Name)
{
    /// <summary>The value with which a search begins.</summary>
    [JsonIgnore]
    public abstract object InitialValue { get; }

    /// <summary>Its place.</summary>
    [JsonIgnore]
    public double Initial => PlaceOf(InitialValue);

    /// <summary>How many values there are; null where they are uncountable.</summary>
    [JsonIgnore]
    public abstract int? Count { get; }

    /// <summary>The value at a place of the line: a double, an int, a bool or a string.</summary>
    public abstract object ValueAt(double place);

    /// <summary>A value that JSON has kept, as this dimension has it.</summary>
    public abstract object Read(object value);

    /// <summary>The place of a value.</summary>
    public abstract double PlaceOf(object value);
}
