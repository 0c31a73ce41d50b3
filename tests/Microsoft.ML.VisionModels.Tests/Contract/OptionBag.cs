using System.Reflection;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// An estimator's options. They are changed through the class that declares them, see <see cref="For{TOptions}"/>; those that families
/// have in common without such a class are reached by name. Names are to be taken with nameof from a class that has the option, so that
/// one that is renamed breaks the tests and does not empty them.
/// </summary>
internal sealed class OptionBag(object options)
{
    private const string ColumnSuffix = "ColumnName";

    public object Value => options;

    /// <summary>The options that name columns, by the options' names; null for a column that is not wanted.</summary>
    public IReadOnlyDictionary<string, string?> Columns => options.GetType().GetProperties()
        .Where(property => property.PropertyType == typeof(string) && property.CanWrite && property.Name.EndsWith(ColumnSuffix, StringComparison.Ordinal))
        .ToDictionary(property => property.Name, property => (string?)property.GetValue(options));

    /// <summary>Changes options of this class, and leaves those of others as they are.</summary>
    public OptionBag For<TOptions>(Action<TOptions> change) where TOptions : class
    {
        if (options is TOptions these)
            change(these);
        return this;
    }

    /// <summary>Where there is training, lets it take so many epochs.</summary>
    public OptionBag Epochs(int epochs) => For<TrainerOptions>(trainer => trainer.Epochs = epochs);

    /// <summary>Sets an option that must be there.</summary>
    public OptionBag Set(string option, object? value)
    {
        var property = Find(option) ?? throw new ArgumentException($"{options.GetType().Name} has no option '{option}'.", nameof(option));
        property.SetValue(options, value);
        return this;
    }

    /// <summary>Sets an option that not every family has.</summary>
    public OptionBag SetIfPresent(string option, object? value) => Find(option) is null ? this : Set(option, value);

    /// <summary>Asks for every optional column, under its own name.</summary>
    public OptionBag WithAllColumns()
    {
        foreach (var (option, column) in Columns)
            Set(option, column ?? option[..^ColumnSuffix.Length]);
        return this;
    }

    private PropertyInfo? Find(string option) => options.GetType().GetProperty(option);
}
