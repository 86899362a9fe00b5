def name(handler, number):
    """In a template: {{ name(1234567) }}"""
    # The handler comes first; its locale knows how numbers are written.
    return handler.locale.friendly_number(number)
