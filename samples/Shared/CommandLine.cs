using System.Globalization;

namespace Samples;

/// <summary>Reading options and their values from a command line.</summary>
internal static class CommandLine
{
    /// <summary>The options with what follows them; nothing follows a flag.</summary>
    public static IEnumerable<(string Option, string? Value)> Pairs(string[] args, params string[] flags)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var option = args[i];
            yield return (option, flags.Contains(option) || i + 1 == args.Length ? null : args[++i]);
        }
    }

    /// <exception cref="ArgumentException">There is no value.</exception>
    public static string Text(string option, string? value) =>
        value ?? throw new ArgumentException($"{option} needs a value. --help lists the options.");

    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static string Folder(string option, string? value) =>
        Directory.Exists(Text(option, value)) ? value! : throw new ArgumentException($"{option}: there is no folder '{value}'.");

    /// <exception cref="ArgumentException">The value is none of the names.</exception>
    public static T OneOf<T>(string option, string? value) where T : struct, Enum =>
        Enum.TryParse<T>(Text(option, value), ignoreCase: true, out var name) && Enum.IsDefined(name)
            ? name
            : throw new ArgumentException($"{option}: '{value}' is none of {string.Join(", ", Enum.GetNames<T>())}.");

    /// <exception cref="ArgumentException">The value is no whole number above 0.</exception>
    public static int Number(string option, string? value) =>
        int.TryParse(Text(option, value), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{option} needs a whole number above 0, not '{value}'.");

    /// <exception cref="ArgumentException">The value is not so many numbers with commas between.</exception>
    public static float[] Numbers(string option, string? value, int count)
    {
        var parts = Text(option, value).Split(',');
        var numbers = new float[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts.Length != count || !float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                throw new ArgumentException($"{option} needs {count} numbers with commas between, not '{value}'.");
        }
        return numbers;
    }

    public static ArgumentException Unknown(string option) => new($"Unknown option '{option}'. --help lists the options.");
}
