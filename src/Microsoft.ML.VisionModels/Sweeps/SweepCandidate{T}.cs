using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels;

/// <summary>An estimator over an options class, as <see cref="SweepCandidate.Of"/> makes it.</summary>
/// <typeparam name="T">The options class.</typeparam>
public sealed class SweepCandidate<T> : SweepCandidate
    where T : class, new()
{
    private readonly Func<T, IEstimator<ITransformer>> _estimator;
    private readonly SortedDictionary<string, Dimension> _dimensions;
    private readonly SortedDictionary<string, (object? Value, Action<T> Set)> _fixed = new(StringComparer.Ordinal);

    internal SweepCandidate(Func<T, IEstimator<ITransformer>> estimator, string name)
        : base(name)
    {
        _estimator = estimator;
        _dimensions = new(DeclaredSpace.Of(typeof(T)).ToDictionary(dimension => dimension.Name), StringComparer.Ordinal);
    }

    internal override Branch Branch => new(Name, [.. _dimensions.Values])
    {
        Fixed = _fixed.ToDictionary(option => option.Key, option => Convert.ToString(option.Value.Value, CultureInfo.InvariantCulture)),
    };

    /// <summary>Gives an option one value, which is not searched.</summary>
    public SweepCandidate<T> Fix<TValue>(Expression<Func<T, TValue>> option, TValue value)
    {
        var property = PropertyOf(option);
        _dimensions.Remove(property.Name);
        _fixed[property.Name] = (value, options => property.SetValue(options, value));
        return this;
    }

    /// <summary>Leaves options at their defaults.</summary>
    public SweepCandidate<T> Leave(params Expression<Func<T, object?>>[] options)
    {
        foreach (var name in options.Select(option => PropertyOf(option).Name))
        {
            _dimensions.Remove(name);
            _fixed.Remove(name);
        }
        return this;
    }

    /// <summary>Searches these of the declared options alone.</summary>
    /// <exception cref="ArgumentException">One of them has no search-space attribute; <see cref="Range"/> and <see cref="Choice"/> give it a space.</exception>
    public SweepCandidate<T> Only(params Expression<Func<T, object?>>[] options)
    {
        var names = options.Select(option => PropertyOf(option).Name).ToHashSet();
        foreach (var name in names.Where(name => !_dimensions.ContainsKey(name)))
            throw new ArgumentException($"{typeof(T).Name}.{name} declares no search space; give it one with Range or Choice.", nameof(options));
        foreach (var name in _dimensions.Keys.Except(names).ToArray())
            _dimensions.Remove(name);
        return this;
    }

    /// <summary>Searches a number between two others, both included.</summary>
    /// <param name="option">The option: an int, a float or a double, or one of these that may be null.</param>
    /// <param name="low">The smallest value.</param>
    /// <param name="high">The largest value.</param>
    /// <param name="logarithmic">Whether factors count, and not differences: for learning rates and the like.</param>
    /// <param name="initial">Where the search begins; null begins in the middle.</param>
    /// <exception cref="ArgumentException">The range is empty, or has no logarithm.</exception>
    public SweepCandidate<T> Range<TValue>(Expression<Func<T, TValue>> option, double low, double high, bool logarithmic = false, double? initial = null)
    {
        var property = PropertyOf(option);
        var type = Nullable.GetUnderlyingType(typeof(TValue)) ?? typeof(TValue);
        if (type != typeof(int) && type != typeof(float) && type != typeof(double))
            throw new ArgumentException($"{property.Name} is of type {typeof(TValue).Name}; a range wants an int, a float or a double.", nameof(option));
        var middle = logarithmic ? Math.Sqrt(low * high) : (low + high) / 2;
        if (type == typeof(int))
            middle = Math.Round(middle);
        Search(new NumberDimension(property.Name, low, high, initial ?? middle, logarithmic, type == typeof(int)).Validate());
        return this;
    }

    /// <summary>Searches among values; the first is where the search begins.</summary>
    /// <param name="option">The option: a number, a Boolean, text or an enumeration.</param>
    /// <param name="values">The values, at least one.</param>
    public SweepCandidate<T> Choice<TValue>(Expression<Func<T, TValue>> option, params TValue[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var property = PropertyOf(option);
        if (values.Length == 0 || values.Any(value => value is null))
            throw new ArgumentException($"The choice for {property.Name} is empty or holds a null.", nameof(values));
        var plain = values.Select(value => DeclaredSpace.Plain(property, value!)).Distinct().ToArray();
        Search(new ChoiceDimension(property.Name, plain, plain[0]));
        return this;
    }

    internal override IEstimator<ITransformer> Create(IReadOnlyDictionary<string, object> parameters, Action<TrainerOptions> attach)
    {
        var options = new T();
        foreach (var (_, set) in _fixed.Values)
            set(options);
        foreach (var (name, value) in parameters)
            DeclaredSpace.Set(options, name, value);
        if (options is TrainerOptions trainer)
            attach(trainer);
        return _estimator(options) ?? throw new InvalidOperationException($"The candidate {Name} made no estimator.");
    }

    private void Search(Dimension dimension)
    {
        _fixed.Remove(dimension.Name);
        _dimensions[dimension.Name] = dimension;
    }

    private static PropertyInfo PropertyOf(LambdaExpression option)
    {
        ArgumentNullException.ThrowIfNull(option);
        // A value of a value type arrives in a conversion to object.
        var body = option.Body is UnaryExpression { NodeType: ExpressionType.Convert } conversion ? conversion.Operand : option.Body;
        return body is MemberExpression { Member: PropertyInfo { CanWrite: true } property, Expression: ParameterExpression }
            ? typeof(T).GetProperty(property.Name)!
            : throw new ArgumentException($"{option.Body} names no option; write it as o => o.{typeof(T).GetProperties().FirstOrDefault(p => p.CanWrite)?.Name}.", nameof(option));
    }
}
