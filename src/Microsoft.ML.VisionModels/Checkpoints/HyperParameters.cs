using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>The smallest and the largest value of a hyper-parameter that is a whole number, or of each number of its list, where these are not 1 and the usual limit.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FromToAttribute(int from, int to = Limits.HyperParameter) : Attribute
{
    public int From => from;

    public int To => to;
}

/// <summary>A number of a configuration that may be negative.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SignedAttribute : Attribute;

/// <summary>
/// Checks the numbers of a configuration, each by itself, before anything is computed from them: that of a file can say anything. How they
/// fit each other is the family's to say; how they fit the weights, <see cref="WeightAllowance"/> and strict loading tell.
/// </summary>
internal static class HyperParameters
{
    private static readonly FromToAttribute s_usual = new(1), s_image = new(1, Limits.NetworkImageSide);
    private static readonly ConcurrentDictionary<Type, (PropertyInfo Property, FromToAttribute? Limits, bool MayBeNull)[]> s_properties = new();

    /// <exception cref="ArgumentException">A number cannot be one of a network; the message names it, and its key in Hugging Face's files.</exception>
    public static void Check(object config)
    {
        foreach (var (property, limits, mayBeNull) in s_properties.GetOrAdd(config.GetType(), Properties))
        {
            var value = property.GetValue(config);
            var wrong = value switch
            {
                null => mayBeNull ? null : "something",
                int number => Whole(number, limits ?? s_usual),
                ImageSize size => Whole(size.Height, limits ?? s_image) ?? Whole(size.Width, limits ?? s_image),
                IReadOnlyList<int> { Count: > Limits.HyperParameterList } => $"at most {Limits.HyperParameterList} numbers",
                IReadOnlyList<int> numbers => numbers.Select(number => Whole(number, limits ?? s_usual)).FirstOrDefault(problem => problem is not null),
                double number when property.IsDefined(typeof(SignedAttribute)) => double.IsFinite(number) ? null : "a number",
                double number => number >= 0 && double.IsFinite(number) ? null : "0 or a positive number",
                Enum => Enum.IsDefined(value.GetType(), value) ? null : "one that is known",
                _ => null,
            };
            if (wrong is not null)
                throw new ArgumentException($"The {Words(property.Name)}{Key(property)} must be {wrong}, not {Text(value)}.");
        }
    }

    private static string? Whole(int number, FromToAttribute limits) =>
        number >= limits.From && number <= limits.To ? null : $"a whole number from {limits.From} to {limits.To}";

    private static (PropertyInfo Property, FromToAttribute? Limits, bool MayBeNull)[] Properties(Type type) =>
    [
        .. type.GetProperties().Where(property => property.CanWrite).Select(property =>
            (property, property.GetCustomAttribute<FromToAttribute>(), new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable)),
    ];

    /// <summary>"WindowSize" as "window size".</summary>
    public static string Words(string name) => Regex.Replace(name, "(?<=[a-z])(?=[A-Z])", " ").ToLowerInvariant();

    private static string Key(PropertyInfo property) => property.GetCustomAttribute<ConfigKeyAttribute>() is { } key ? $" ('{key.Names[0]}' of config.json)" : "";

    private static string Text(object? value) => value switch
    {
        null => "null",
        IReadOnlyList<int> numbers => $"[{string.Join(", ", numbers.Take(8))}{(numbers.Count > 8 ? ", ..." : "")}]",
        _ => FormattableString.Invariant($"{value}"),
    };
}
