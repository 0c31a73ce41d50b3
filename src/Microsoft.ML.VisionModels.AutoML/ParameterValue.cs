using System.Globalization;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.SearchSpace.Option;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>Between AutoML's parameters and the values of trials.</summary>
internal static class ParameterValue
{
    /// <summary>A parameter as trials keep it: an int, a double, a bool or a string; what is none of these, as JSON.</summary>
    public static object Of(Parameter parameter) => parameter.ParameterType switch
    {
        ParameterType.Bool => parameter.AsType<bool>(),
        ParameterType.String => parameter.AsType<string>(),
        ParameterType.Integer when parameter.AsType<long>() is >= int.MinValue and <= int.MaxValue and var whole => (int)whole,
        ParameterType.Integer or ParameterType.Number => parameter.AsType<double>(),
        _ => parameter.ToString(),
    };

    /// <summary>A parameter as a value of a dimension. AutoML's tuners may step on a range's upper end, which it leaves out, and rounding beyond the others.</summary>
    public static object Of(Dimension dimension, Parameter parameter)
    {
        var value = Of(parameter);
        if (dimension is not NumberDimension number)
            return value;
        var inside = Math.Clamp(Convert.ToDouble(value, CultureInfo.InvariantCulture), number.Low, number.High);
        return number.IsInteger ? (int)inside : (object)inside;
    }

    /// <summary>A value of an option as its parameter.</summary>
    public static Parameter ToParameter(OptionBase option, Dimension dimension, object value) => option switch
    {
        ChoiceOption choice => choice.Choices[(int)dimension.PlaceOf(value)],
        // A study's whole numbers come back as ints, those of real dimensions too.
        UniformIntOption => Parameter.FromInt(Convert.ToInt32(value, CultureInfo.InvariantCulture)),
        UniformSingleOption => Parameter.FromFloat(Convert.ToSingle(value, CultureInfo.InvariantCulture)),
        _ => Parameter.FromDouble(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
    };
}
