using System.ComponentModel;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Cli;

namespace Samples;

/// <summary>A whole number above 0.</summary>
internal sealed class WholeNumber : TypeConverter
{
    public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        int.TryParse((string)value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"'{value}' is no whole number above 0.");
}

/// <summary>One of an enumeration's names, in upper or lower case.</summary>
internal sealed class OneOf<T> : TypeConverter
    where T : struct, Enum
{
    /// <exception cref="FormatException">The text is none of the names.</exception>
    public static T Parse(string text) => Enum.TryParse<T>(text, ignoreCase: true, out var name) && Enum.IsDefined(name)
        ? name
        : throw new FormatException($"'{text}' is none of {string.Join(", ", Enum.GetNames<T>())}.");

    public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => Parse((string)value);
}

/// <summary>The option names a folder that must be there.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FolderAttribute() : ParameterValidationAttribute("")
{
    public override ValidationResult Validate(CommandParameterContext context) => context.Value is string folder && !Directory.Exists(folder)
        ? ValidationResult.Error($"--{context.Parameter.PropertyName.ToLowerInvariant()}: there is no folder '{folder}'.")
        : ValidationResult.Success();
}
