using System.Globalization;
using System.Reflection;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>Reads the search space that ML.NET's attributes declare on an options class, and sets its properties.</summary>
internal static class DeclaredSpace
{
    /// <summary>
    /// The dimensions of an options class, in the order of its properties' names. Those of options within options
    /// (<see cref="NestOptionAttribute"/>) are called by both names with a dot between.
    /// </summary>
    public static IEnumerable<Dimension> Of(Type options) => options.GetProperties()
        .Where(property => property.CanWrite)
        .SelectMany(property => property.IsDefined(typeof(NestOptionAttribute))
            ? Of(property.PropertyType).Select(dimension => dimension with { Name = $"{property.Name}.{dimension.Name}" })
            : Of(property) is { } own ? [own] : [])
        .OrderBy(dimension => dimension.Name, StringComparer.Ordinal);

    /// <summary>The dimension that a property's attribute declares; null where it has none.</summary>
    public static Dimension? Of(PropertyInfo property)
    {
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            var isInteger = TypeOf(property) == typeof(int);
            // In ML.NET, the upper end of a range of whole numbers is exclusive.
            var (low, high) = (Number(range.Min), Number(range.Max) - (isInteger ? 1 : 0));
            return new NumberDimension(property.Name, low, high, range.Init is null ? low : Number(range.Init), range.LogBase, isInteger).Validate();
        }
        if (property.GetCustomAttribute<ChoiceAttribute>() is { } choice)
            return new ChoiceDimension(property.Name, [.. choice.Candidates.Select(value => Plain(property, value))], Plain(property, choice.DefaultValue ?? choice.Candidates[0]));
        return property.GetCustomAttribute<BooleanChoiceAttribute>() is { } boolean
            ? new ChoiceDimension(property.Name, [false, true], boolean.DefaultValue)
            : null;
    }

    /// <summary>The value of a property in a trial: a double, an int, a bool or a string.</summary>
    /// <exception cref="ArgumentException">A property of this type cannot be searched.</exception>
    public static object Plain(PropertyInfo property, object value)
    {
        var type = TypeOf(property);
        return type.IsEnum ? Enum.Parse(type, value.ToString()!).ToString()!
            : type == typeof(bool) || type == typeof(string) || type == typeof(int) ? Convert.ChangeType(value, type, CultureInfo.InvariantCulture)
            : type == typeof(double) || type == typeof(float) ? Number(value)
            : throw new ArgumentException($"{property.Name} is of type {property.PropertyType.Name}, which a sweep cannot search.");
    }

    /// <summary>Sets an option to a value of a trial.</summary>
    public static void Set(object options, string name, object value)
    {
        var (owner, property) = Find(options, name);
        var type = TypeOf(property);
        property.SetValue(owner, type.IsEnum ? Enum.Parse(type, (string)value) : Convert.ChangeType(value, type, CultureInfo.InvariantCulture));
    }

    /// <summary>Sets an option to a value of its own type.</summary>
    public static void Assign(object options, string name, object? value)
    {
        var (owner, property) = Find(options, name);
        property.SetValue(owner, value);
    }

    private static (object Owner, PropertyInfo Property) Find(object options, string name)
    {
        var property = options.GetType().GetProperty(name.Split('.')[0]) ?? throw new ArgumentException($"{options.GetType().Name} has no property {name}.");
        return name.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? Find(property.GetValue(options)!, name[(dot + 1)..]) : (options, property);
    }

    private static Type TypeOf(PropertyInfo property) => Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

    private static double Number(object value) => Convert.ToDouble(value, CultureInfo.InvariantCulture);
}
