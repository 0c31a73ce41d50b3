using System.Numerics;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>Checks of options, whose errors name the option and its value.</summary>
internal static class OptionChecks
{
    /// <summary>Throws, naming the property and its value, unless <paramref name="holds"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public static void Require<T>(T value, bool holds, string allowed, [CallerArgumentExpression(nameof(value))] string property = "")
        where T : INumber<T>
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(property, value, $"{property} is {value}, but must be {allowed}.");
    }

    /// <summary>The same for a number that need not be there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is a number, outside its range.</exception>
    public static void RequireAtLeast(int? value, int least, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (value is { } number)
            Require(number, number >= least, $"at least {least}", property);
    }

    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static void RequireName(string? name, string property)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException($"{property} is empty; a name is needed.", property);
    }

    /// <param name="name">The name of a column; null for one that is not made.</param>
    /// <param name="property">The option.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static void RequireNameOrNull(string? name, string property)
    {
        if (name is not null)
            RequireName(name, property);
    }

    /// <exception cref="ArgumentException">The enumeration has no such value.</exception>
    public static void RequireDefined<T>(T value, string property) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentException($"{property} has no value {value:D}.");
    }

    /// <param name="columns">The names of the output columns; null for one that is not made.</param>
    /// <exception cref="ArgumentException">Two have one name.</exception>
    public static void RequireDistinct(IEnumerable<string?> columns)
    {
        if (columns.OfType<string>().GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two output columns have the name '{twice.Key}'.");
    }
}
