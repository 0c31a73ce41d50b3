using System.Reflection;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>An estimator's options, reached by the names of their properties: families differ in what they have.</summary>
internal sealed class OptionBag(object options)
{
    private const string ColumnSuffix = "ColumnName";

    public object Value => options;

    /// <summary>The options that name columns, by the options' names without the suffix; null for a column that is not wanted.</summary>
    public IReadOnlyDictionary<string, string?> Columns => options.GetType().GetProperties()
        .Where(property => property.PropertyType == typeof(string) && property.CanWrite && property.Name.EndsWith(ColumnSuffix, StringComparison.Ordinal))
        .ToDictionary(property => property.Name[..^ColumnSuffix.Length], property => (string?)property.GetValue(options));

    public bool Has(string property) => Find(property) is not null;

    /// <summary>Sets a property where there is such a one.</summary>
    public OptionBag Set(string property, object? value)
    {
        Find(property)?.SetValue(options, value);
        return this;
    }

    /// <summary>Asks for every optional column, under its own name.</summary>
    public OptionBag WithAllColumns()
    {
        foreach (var (name, value) in Columns)
        {
            if (value is null)
                Set(name + ColumnSuffix, name);
        }
        return this;
    }

    private PropertyInfo? Find(string property) => options.GetType().GetProperty(property);
}
