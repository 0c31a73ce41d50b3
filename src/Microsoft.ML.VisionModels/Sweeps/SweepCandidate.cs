using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels;

/// <summary>An estimator that a sweep may try: how it is created, and which of its options are searched.</summary>
public abstract class SweepCandidate
{
    private protected SweepCandidate(string name) => Name = name;

    /// <summary>Its name in trials and reports.</summary>
    public string Name { get; }

    /// <summary>The hyper-parameters that are searched.</summary>
    internal abstract Branch Branch { get; }

    /// <summary>Creates the estimator with given hyper-parameters.</summary>
    /// <param name="parameters">The hyper-parameters.</param>
    /// <param name="attach">Called with the options before the estimator is created, where they are those of a trainer of this package.</param>
    internal abstract IEstimator<ITransformer> Create(IReadOnlyDictionary<string, object> parameters, Action<TrainerOptions> attach);

    /// <summary>
    /// An estimator over an options class. Every property with a search-space attribute of ML.NET (<c>Range</c>, <c>Choice</c>,
    /// <c>BooleanChoice</c>) is searched; <see cref="SweepCandidate{T}"/> has methods that change this.
    /// </summary>
    /// <param name="estimator">Creates the estimator, or a pipeline with it, from the options of a trial. It may set options that are not searched, such as columns.</param>
    /// <param name="name">Its name in trials and reports; null takes the name of the options class without "Options".</param>
    public static SweepCandidate<T> Of<T>(Func<T, IEstimator<ITransformer>> estimator, string? name = null)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(estimator);
        const string Suffix = "Options";
        var type = typeof(T).Name;
        return new(estimator, name ?? (type.Length > Suffix.Length && type.EndsWith(Suffix, StringComparison.Ordinal) ? type[..^Suffix.Length] : type));
    }
}

/// <summary>An estimator over an options class, created by <see cref="SweepCandidate.Of"/>.</summary>
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

    /// <summary>Sets an option to one value instead of searching it.</summary>
    public SweepCandidate<T> Fix<TValue>(Expression<Func<T, TValue>> option, TValue value)
    {
        var (name, _) = OptionOf(option);
        _dimensions.Remove(name);
        _fixed[name] = (value, options => DeclaredSpace.Assign(options, name, value));
        return this;
    }

    /// <summary>Leaves options at their defaults instead of searching them.</summary>
    public SweepCandidate<T> Leave(params Expression<Func<T, object?>>[] options)
    {
        foreach (var name in options.Select(option => OptionOf(option).Name))
        {
            _dimensions.Remove(name);
            _fixed.Remove(name);
        }
        return this;
    }

    /// <summary>Searches only these of the declared options.</summary>
    /// <exception cref="ArgumentException">One of them has no search-space attribute; <see cref="Range"/> and <see cref="Choice"/> give it a space.</exception>
    public SweepCandidate<T> Only(params Expression<Func<T, object?>>[] options)
    {
        var names = options.Select(option => OptionOf(option).Name).ToHashSet();
        foreach (var name in names.Where(name => !_dimensions.ContainsKey(name)))
            throw new ArgumentException($"{typeof(T).Name}.{name} declares no search space; give it one with Range or Choice.", nameof(options));
        foreach (var name in _dimensions.Keys.Except(names).ToArray())
            _dimensions.Remove(name);
        return this;
    }

    /// <summary>Searches a number between two others, both included.</summary>
    /// <param name="option">The option: an int, a float or a double, which may be nullable.</param>
    /// <param name="low">The smallest value.</param>
    /// <param name="high">The largest value.</param>
    /// <param name="logarithmic">Whether to search on a logarithmic scale, as for learning rates.</param>
    /// <param name="initial">The value at which the search begins; null for the middle.</param>
    /// <exception cref="ArgumentException">The range is empty, or has no logarithm.</exception>
    public SweepCandidate<T> Range<TValue>(Expression<Func<T, TValue>> option, double low, double high, bool logarithmic = false, double? initial = null)
    {
        var (name, _) = OptionOf(option);
        var type = Nullable.GetUnderlyingType(typeof(TValue)) ?? typeof(TValue);
        if (type != typeof(int) && type != typeof(float) && type != typeof(double))
            throw new ArgumentException($"{name} is of type {typeof(TValue).Name}; a range needs an int, a float or a double.", nameof(option));
        var middle = logarithmic ? Math.Sqrt(low * high) : (low + high) / 2;
        if (type == typeof(int))
            middle = Math.Round(middle);
        Search(new NumberDimension(name, low, high, initial ?? middle, logarithmic, type == typeof(int)).Validate());
        return this;
    }

    /// <summary>Searches among values, beginning at the first.</summary>
    /// <param name="option">The option: a number, a Boolean, text or an enumeration.</param>
    /// <param name="values">The values, at least one.</param>
    public SweepCandidate<T> Choice<TValue>(Expression<Func<T, TValue>> option, params TValue[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var (name, property) = OptionOf(option);
        if (values.Length == 0 || values.Any(value => value is null))
            throw new ArgumentException($"The choice for {name} is empty or holds a null.", nameof(values));
        var plain = values.Select(value => DeclaredSpace.Plain(property, value!)).Distinct().ToArray();
        Search(new ChoiceDimension(name, plain, plain[0]));
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
        return _estimator(options) ?? throw new InvalidOperationException($"The candidate {Name} created no estimator.");
    }

    private void Search(Dimension dimension)
    {
        _fixed.Remove(dimension.Name);
        _dimensions[dimension.Name] = dimension;
    }

    /// <summary>The option that an expression names, <c>o => o.Option</c> or <c>o => o.Part.Option</c>, as sweeps call it.</summary>
    private static (string Name, PropertyInfo Property) OptionOf(LambdaExpression option)
    {
        ArgumentNullException.ThrowIfNull(option);
        // The expression of a value type is wrapped in a conversion to object.
        var body = option.Body is UnaryExpression { NodeType: ExpressionType.Convert } conversion ? conversion.Operand : option.Body;
        if (body is not MemberExpression { Member: PropertyInfo { CanWrite: true } last } || NameOf(body) is not { } name)
            throw new ArgumentException($"{option.Body} names no option; write it as o => o.{typeof(T).GetProperties().FirstOrDefault(p => p.CanWrite)?.Name}.", nameof(option));
        return (name, last);

        static string? NameOf(Expression? expression) => expression switch
        {
            MemberExpression { Member: PropertyInfo member, Expression: ParameterExpression } => member.Name,
            MemberExpression { Member: PropertyInfo member, Expression: var owner } => NameOf(owner) is { } path ? $"{path}.{member.Name}" : null,
            _ => null,
        };
    }
}
