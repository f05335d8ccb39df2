// The element type of a cache as a template argument. Included inside an anonymous namespace after rows.inl and
// after a Float8Loader.

/// Calls run.operator()<Loader>() with the loader of the type.
template <class Run>
void with_loader(Type type, const Run& run) {
  if (type == Type::float32)
    run.template operator()<Float32Loader>();
  else if (type == Type::bfloat16)
    run.template operator()<BFloat16Loader>();
  else
    run.template operator()<Float8Loader>();
}
