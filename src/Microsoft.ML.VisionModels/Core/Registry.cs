namespace Microsoft.ML.VisionModels.Core;

/// <summary>What families add to the floors under them, which know no family by its name: found by reflection, once.</summary>
internal static class Registry
{
    /// <summary>One instance of every class of this package that is a <typeparamref name="T"/> and has a constructor without parameters.</summary>
    public static IReadOnlyList<T> All<T>() where T : class => Found<T>.All;

    private static class Found<T> where T : class
    {
        public static readonly IReadOnlyList<T> All = [.. typeof(Registry).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && type.IsAssignableTo(typeof(T)) && type.GetConstructor([]) is not null)
            .OrderBy(type => type.FullName, StringComparer.Ordinal)
            .Select(type => (T)Activator.CreateInstance(type)!)];
    }
}
