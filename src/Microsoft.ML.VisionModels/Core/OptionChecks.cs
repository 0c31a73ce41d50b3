namespace Microsoft.ML.VisionModels.Core;

/// <summary>What options of scoring models have in common to check.</summary>
internal static class OptionChecks
{
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
